-- id: verify.rows.tags
-- severity: critical
-- relation: public.tags
-- message: every row of tags is as it was
-- hint: restore what differs from the backup, or roll back

select
    id, name, color
from public.tags;

select
    id, name, color
from public.tags
