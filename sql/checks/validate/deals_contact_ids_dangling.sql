-- id: deals.contact_ids.dangling
-- severity: warning
-- relation: public.deals
-- message: contact_ids names contacts that do not exist
-- hint: the array has no foreign key; the migration keeps it as it is, and lists leave such contacts out
-- tolerate: 0.5%
-- clean-up: update public.deals d
-- clean-up: set contact_ids = array(
-- clean-up:     select u.contact_id from unnest(d.contact_ids) with ordinality u (contact_id, place)
-- clean-up:     where u.contact_id is null or exists (select from public.contacts c where c.id = u.contact_id)
-- clean-up:     order by u.place)
-- clean-up: where exists (
-- clean-up:     select from unnest(d.contact_ids) u (contact_id)
-- clean-up:     where u.contact_id is not null and not exists (select from public.contacts c where c.id = u.contact_id));

select d.id as key, 'contacts ' || string_agg(u.contact_id::text, ', ' order by u.place) as detail
from public.deals d
cross join lateral unnest(d.contact_ids) with ordinality u (contact_id, place)
where u.contact_id is not null and not exists (select from public.contacts c where c.id = u.contact_id)
group by d.id;
