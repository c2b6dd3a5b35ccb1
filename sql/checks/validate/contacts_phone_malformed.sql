-- id: contacts.phone.malformed
-- severity: warning
-- relation: public.contacts
-- message: a phone number is none
-- hint: kept as it is; nobody is reached
-- tolerate: 0.5%
-- clean-up: update public.contacts t
-- clean-up: set phone_jsonb = (
-- clean-up:     select coalesce(jsonb_agg(e.entry order by e.place), '[]')
-- clean-up:     from jsonb_array_elements(t.phone_jsonb) with ordinality e (entry, place)
-- clean-up:     where jsonb_typeof(e.entry) <> 'object'
-- clean-up:         or jsonb_typeof(coalesce(e.entry -> 'number', 'null')) not in ('string', 'null')
-- clean-up:         or coalesce(e.entry ->> 'number', '') ~ '^[+]?[0-9 ()./-]{5,}( ?(x|ext[.]?) ?[0-9]+)?$')
-- clean-up: where jsonb_typeof(t.phone_jsonb) = 'array';

select t.id as key, string_agg(coalesce(quote_literal(left(e.entry ->> 'number', 80)), 'no number'), ', ' order by e.place) as detail
from public.contacts t
cross join lateral jsonb_array_elements(
    case when jsonb_typeof(t.phone_jsonb) = 'array' then t.phone_jsonb end
) with ordinality e (entry, place)
where jsonb_typeof(e.entry) = 'object'
    and jsonb_typeof(coalesce(e.entry -> 'number', 'null')) in ('string', 'null')
    and coalesce(e.entry ->> 'number', '') !~ '^[+]?[0-9 ()./-]{5,}( ?(x|ext[.]?) ?[0-9]+)?$'
group by t.id;
