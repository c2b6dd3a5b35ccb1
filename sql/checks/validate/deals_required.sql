-- id: deals.required
-- severity: critical
-- relation: public.deals
-- message: a required field is NULL
-- hint: the target wants a value; a NOT NULL constraint of the source is gone, so put it back when the rows are mended
-- clean-up: update public.deals t
-- clean-up: set name = coalesce(t.name, ''),
-- clean-up:     stage = coalesce(t.stage, 'opportunity'),
-- clean-up:     created_at = coalesce(t.created_at, now()),
-- clean-up:     updated_at = coalesce(t.updated_at, now())
-- clean-up: where t.name is null or t.stage is null or t.created_at is null or t.updated_at is null;

select t.id as key, concat_ws(', ',
    case when t.name is null then 'name' end,
    case when t.stage is null then 'stage' end,
    case when t.created_at is null then 'created_at' end,
    case when t.updated_at is null then 'updated_at' end
) as detail
from public.deals t
where t.name is null or t.stage is null or t.created_at is null or t.updated_at is null;
