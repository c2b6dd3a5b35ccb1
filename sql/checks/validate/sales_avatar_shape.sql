-- id: sales.avatar.shape
-- severity: warning
-- relation: public.sales
-- message: avatar is no picture with an address
-- hint: kept as it is; the picture does not show
-- clean-up: update public.sales t set avatar = null
-- clean-up: where t.avatar is not null and t.avatar <> '{}' and (
-- clean-up:     jsonb_typeof(t.avatar) <> 'object' or jsonb_typeof(coalesce(t.avatar -> 'src', 'null')) <> 'string'
-- clean-up: );

select t.id as key, left(t.avatar::text, 80) as detail
from public.sales t
where t.avatar is not null and t.avatar <> '{}' and (
    jsonb_typeof(t.avatar) <> 'object' or jsonb_typeof(coalesce(t.avatar -> 'src', 'null')) <> 'string'
);
