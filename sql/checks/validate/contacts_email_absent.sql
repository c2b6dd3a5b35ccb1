-- id: contacts.email.absent
-- severity: warning
-- relation: public.contacts
-- message: an e-mail entry has no address
-- hint: kept as it is
-- tolerate: 0.5%
-- clean-up: update public.contacts t
-- clean-up: set email_jsonb = (
-- clean-up:     select coalesce(jsonb_agg(e.entry order by e.place), '[]')
-- clean-up:     from jsonb_array_elements(t.email_jsonb) with ordinality e (entry, place)
-- clean-up:     where jsonb_typeof(e.entry) <> 'object' or coalesce(e.entry -> 'email', 'null') not in ('null', '""'))
-- clean-up: where jsonb_typeof(t.email_jsonb) = 'array';

select t.id as key, string_agg(left(e.entry::text, 80), ', ' order by e.place) as detail
from public.contacts t
cross join lateral jsonb_array_elements(
    case when jsonb_typeof(t.email_jsonb) = 'array' then t.email_jsonb end
) with ordinality e (entry, place)
where jsonb_typeof(e.entry) = 'object'
    and coalesce(e.entry -> 'email', 'null') in ('null', '""')
group by t.id;
