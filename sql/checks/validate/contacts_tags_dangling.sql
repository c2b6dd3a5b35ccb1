-- id: contacts.tags.dangling
-- severity: warning
-- relation: public.contacts
-- message: tags names tags that do not exist
-- hint: the array has no foreign key; the migration keeps it as it is
-- tolerate: 0.5%
-- clean-up: update public.contacts c
-- clean-up: set tags = array(
-- clean-up:     select u.tag_id from unnest(c.tags) with ordinality u (tag_id, place)
-- clean-up:     where u.tag_id is null or exists (select from public.tags t where t.id = u.tag_id)
-- clean-up:     order by u.place)
-- clean-up: where exists (
-- clean-up:     select from unnest(c.tags) u (tag_id)
-- clean-up:     where u.tag_id is not null and not exists (select from public.tags t where t.id = u.tag_id));

select c.id as key, 'tags ' || string_agg(u.tag_id::text, ', ' order by u.place) as detail
from public.contacts c
cross join lateral unnest(c.tags) with ordinality u (tag_id, place)
where u.tag_id is not null and not exists (select from public.tags t where t.id = u.tag_id)
group by c.id;
