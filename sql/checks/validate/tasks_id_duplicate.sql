-- id: tasks.id.duplicate
-- severity: critical
-- relation: public.tasks
-- message: id stands in more than one row
-- hint: activities.source_task_id is unique in the target; the primary key is gone or broken, so put it back when the ids are apart
-- clean-up: update public.tasks t set id = nextval(pg_get_serial_sequence('public.tasks', 'id'))
-- clean-up: where exists (select from public.tasks o where o.id = t.id and o.ctid < t.ctid);

select t.id as key, count(*) || ' rows' as detail
from public.tasks t
group by t.id
having count(*) > 1;
