-- id: contacts.email.malformed
-- severity: warning
-- relation: public.contacts
-- message: an e-mail address is none
-- hint: kept as it is, and found by search; mails do not arrive
-- tolerate: 0.5%
-- clean-up: update public.contacts t
-- clean-up: set email_jsonb = (
-- clean-up:     select coalesce(jsonb_agg(
-- clean-up:         case when jsonb_typeof(e.entry -> 'email') = 'string'
-- clean-up:             then jsonb_set(e.entry, '{email}', to_jsonb(btrim(e.entry ->> 'email'))) else e.entry end
-- clean-up:         order by e.place), '[]')
-- clean-up:     from jsonb_array_elements(t.email_jsonb) with ordinality e (entry, place)
-- clean-up:     where jsonb_typeof(e.entry -> 'email') is distinct from 'string'
-- clean-up:         or e.entry ->> 'email' = '' or btrim(e.entry ->> 'email') ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:].]+$')
-- clean-up: where jsonb_typeof(t.email_jsonb) = 'array';

select t.id as key, string_agg(quote_literal(left(e.entry ->> 'email', 80)), ', ' order by e.place) as detail
from public.contacts t
cross join lateral jsonb_array_elements(
    case when jsonb_typeof(t.email_jsonb) = 'array' then t.email_jsonb end
) with ordinality e (entry, place)
where jsonb_typeof(e.entry -> 'email') = 'string'
    and e.entry ->> 'email' <> ''
    and e.entry ->> 'email' !~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:].]+$'
group by t.id;
