-- id: tasks.required
-- severity: critical
-- relation: public.tasks
-- message: a required field is NULL
-- hint: the target wants a value; a NOT NULL constraint of the source is gone, so put it back when the rows are mended
-- clean-up: delete from public.tasks t where t.contact_id is null;
-- clean-up: update public.tasks t set due_date = now() where t.due_date is null;

select t.id as key, concat_ws(', ',
    case when t.contact_id is null then 'contact_id' end,
    case when t.due_date is null then 'due_date' end
) as detail
from public.tasks t
where t.contact_id is null or t.due_date is null;
