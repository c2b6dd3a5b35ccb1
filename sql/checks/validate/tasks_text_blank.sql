-- id: tasks.text.blank
-- severity: info
-- relation: public.tasks
-- message: text is empty
-- hint: kept as it is
-- clean-up: select t.* from public.tasks t
-- clean-up: where coalesce(btrim(t.text), '') = '';

select t.id as key
from public.tasks t
where coalesce(btrim(t.text), '') = '';
