-- id: verify.rows.tasks
-- severity: critical
-- relation: public.tasks
-- message: every row of tasks is as it was
-- hint: restore what differs from the backup, or roll back

select
    id, contact_id, type, text, due_date, done_date, sales_id
from public.tasks;

select
    id, contact_id, type, text, due_date, done_date, sales_id
from public.tasks
