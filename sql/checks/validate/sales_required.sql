-- id: sales.required
-- severity: critical
-- relation: public.sales
-- message: a required field is NULL
-- hint: the target wants a value; a NOT NULL constraint of the source is gone, so put it back when the rows are mended
-- clean-up: update public.sales t
-- clean-up: set first_name = coalesce(t.first_name, ''),
-- clean-up:     last_name = coalesce(t.last_name, ''),
-- clean-up:     email = coalesce(t.email, ''),
-- clean-up:     administrator = coalesce(t.administrator, false),
-- clean-up:     disabled = coalesce(t.disabled, false)
-- clean-up: where t.first_name is null or t.last_name is null or t.email is null or t.administrator is null or t.user_id is null or t.disabled is null;
-- clean-up: select t.id from public.sales t where t.user_id is null;

select t.id as key, concat_ws(', ',
    case when t.first_name is null then 'first_name' end,
    case when t.last_name is null then 'last_name' end,
    case when t.email is null then 'email' end,
    case when t.administrator is null then 'administrator' end,
    case when t.user_id is null then 'user_id' end,
    case when t.disabled is null then 'disabled' end
) as detail
from public.sales t
where t.first_name is null or t.last_name is null or t.email is null or t.administrator is null or t.user_id is null or t.disabled is null;
