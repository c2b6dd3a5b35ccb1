-- id: verify.rows.sales
-- severity: critical
-- relation: public.sales
-- message: every row of sales is as it was
-- hint: restore what differs from the backup, or roll back

select
    id, first_name, last_name, email, administrator, user_id, avatar, disabled
from public.sales;

select
    id, first_name, last_name, email, administrator, user_id, avatar, disabled
from public.sales
