-- id: contacts.email.shape
-- severity: warning
-- relation: public.contacts
-- message: email_jsonb is no list of e-mail addresses with a type
-- hint: kept as it is; readers that expect a list of objects may fail
-- clean-up: update public.contacts t
-- clean-up: set email_jsonb = (
-- clean-up:     select coalesce(jsonb_agg(
-- clean-up:         case when coalesce(e.entry ->> 'type', 'Other') in ('Work', 'Home', 'Other')
-- clean-up:             then e.entry else e.entry || '{"type": "Other"}' end), '[]')
-- clean-up:     from jsonb_array_elements(
-- clean-up:         case jsonb_typeof(t.email_jsonb) when 'array' then t.email_jsonb when 'object' then jsonb_build_array(t.email_jsonb) end
-- clean-up:     ) e (entry)
-- clean-up:     where jsonb_typeof(e.entry) = 'object'
-- clean-up:         and jsonb_typeof(coalesce(e.entry -> 'email', 'null')) in ('string', 'null'))
-- clean-up: where t.email_jsonb is not null and (
-- clean-up:     jsonb_typeof(t.email_jsonb) <> 'array'
-- clean-up:     or exists (
-- clean-up:         select from jsonb_array_elements(case when jsonb_typeof(t.email_jsonb) = 'array' then t.email_jsonb end) e (entry)
-- clean-up:         where jsonb_typeof(e.entry) <> 'object'
-- clean-up:             or jsonb_typeof(coalesce(e.entry -> 'email', 'null')) not in ('string', 'null')
-- clean-up:             or coalesce(e.entry ->> 'type', 'Other') not in ('Work', 'Home', 'Other')
-- clean-up:     ));

select t.id as key, left(t.email_jsonb::text, 80) as detail
from public.contacts t
where t.email_jsonb is not null and (
    jsonb_typeof(t.email_jsonb) <> 'array'
    or exists (
        select from jsonb_array_elements(case when jsonb_typeof(t.email_jsonb) = 'array' then t.email_jsonb end) e (entry)
        where jsonb_typeof(e.entry) <> 'object'
            or jsonb_typeof(coalesce(e.entry -> 'email', 'null')) not in ('string', 'null')
            or coalesce(e.entry ->> 'type', 'Other') not in ('Work', 'Home', 'Other')
    )
);
