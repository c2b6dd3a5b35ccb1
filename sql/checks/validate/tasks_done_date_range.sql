-- id: tasks.done_date.range
-- severity: warning
-- relation: public.tasks
-- message: a date is before 1971 or after 2100
-- hint: it becomes the date of the activity
-- tolerate: 0.5%
-- clean-up: update public.tasks t
-- clean-up: set done_date = case when t.done_date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z' then null else t.done_date end
-- clean-up: where t.done_date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';

select t.id as key, t.done_date::text as detail
from public.tasks t
where t.done_date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';
