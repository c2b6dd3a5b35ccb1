-- id: tasks.sales_id.dangling
-- severity: warning
-- relation: public.tasks
-- message: sales_id names a colleague who does not exist
-- hint: no foreign key guards the column; the activity made of the task gets no author
-- tolerate: 0.5%
-- clean-up: update public.tasks t set sales_id = null
-- clean-up: where t.sales_id is not null and not exists (select from public.sales s where s.id = t.sales_id);

select t.id as key, 'sales_id ' || t.sales_id as detail
from public.tasks t
where t.sales_id is not null and not exists (select from public.sales s where s.id = t.sales_id);
