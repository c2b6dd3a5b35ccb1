-- id: contacts.avatar.shape
-- severity: warning
-- relation: public.contacts
-- message: avatar is no picture with an address
-- hint: kept as it is; the picture does not show
-- clean-up: update public.contacts t set avatar = null
-- clean-up: where t.avatar is not null and t.avatar <> '{}' and (
-- clean-up:     jsonb_typeof(t.avatar) <> 'object' or jsonb_typeof(coalesce(t.avatar -> 'src', 'null')) <> 'string'
-- clean-up: );

select t.id as key, left(t.avatar::text, 80) as detail
from public.contacts t
where t.avatar is not null and t.avatar <> '{}' and (
    jsonb_typeof(t.avatar) <> 'object' or jsonb_typeof(coalesce(t.avatar -> 'src', 'null')) <> 'string'
);
