-- id: tags.required
-- severity: critical
-- relation: public.tags
-- message: a required field is NULL
-- hint: the target wants a value; a NOT NULL constraint of the source is gone, so put it back when the rows are mended
-- clean-up: update public.tags t
-- clean-up: set name = coalesce(t.name, ''),
-- clean-up:     color = coalesce(t.color, '#000000')
-- clean-up: where t.name is null or t.color is null;

select t.id as key, concat_ws(', ',
    case when t.name is null then 'name' end,
    case when t.color is null then 'color' end
) as detail
from public.tags t
where t.name is null or t.color is null;
