-- id: deals.contact_ids.repeated
-- severity: warning
-- relation: public.deals
-- message: contact_ids names a contact twice, or none
-- hint: the migration keeps the array as it is; readers may count twice
-- clean-up: update public.deals t
-- clean-up: set contact_ids = array(
-- clean-up:     select u.one from unnest(t.contact_ids) with ordinality u (one, place)
-- clean-up:     where u.one is not null group by u.one order by min(u.place))
-- clean-up: where array_position(t.contact_ids, null) is not null
-- clean-up:     or cardinality(t.contact_ids) <> (select count(distinct u.one) from unnest(t.contact_ids) u (one));

select t.id as key, t.contact_ids::text as detail
from public.deals t
where array_position(t.contact_ids, null) is not null
    or cardinality(t.contact_ids) <> (select count(distinct u.one) from unnest(t.contact_ids) u (one));
