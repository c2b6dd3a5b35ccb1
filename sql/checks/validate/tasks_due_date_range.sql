-- id: tasks.due_date.range
-- severity: warning
-- relation: public.tasks
-- message: a date is before 1971 or after 2100
-- hint: kept as it is
-- tolerate: 0.5%
-- clean-up: update public.tasks t
-- clean-up: set due_date = case when t.due_date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z' then now() else t.due_date end
-- clean-up: where t.due_date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';

select t.id as key, t.due_date::text as detail
from public.tasks t
where t.due_date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';
