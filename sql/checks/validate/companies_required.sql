-- id: companies.required
-- severity: critical
-- relation: public.companies
-- message: a required field is NULL
-- hint: the target wants a value; a NOT NULL constraint of the source is gone, so put it back when the rows are mended
-- clean-up: update public.companies t
-- clean-up: set created_at = coalesce(t.created_at, now()),
-- clean-up:     name = coalesce(t.name, '')
-- clean-up: where t.created_at is null or t.name is null;

select t.id as key, concat_ws(', ',
    case when t.created_at is null then 'created_at' end,
    case when t.name is null then 'name' end
) as detail
from public.companies t
where t.created_at is null or t.name is null;
