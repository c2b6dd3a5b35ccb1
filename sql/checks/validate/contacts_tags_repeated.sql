-- id: contacts.tags.repeated
-- severity: warning
-- relation: public.contacts
-- message: tags names a tag twice, or none
-- hint: the migration keeps the array as it is; readers may count twice
-- clean-up: update public.contacts t
-- clean-up: set tags = array(
-- clean-up:     select u.one from unnest(t.tags) with ordinality u (one, place)
-- clean-up:     where u.one is not null group by u.one order by min(u.place))
-- clean-up: where array_position(t.tags, null) is not null
-- clean-up:     or cardinality(t.tags) <> (select count(distinct u.one) from unnest(t.tags) u (one));

select t.id as key, t.tags::text as detail
from public.contacts t
where array_position(t.tags, null) is not null
    or cardinality(t.tags) <> (select count(distinct u.one) from unnest(t.tags) u (one));
