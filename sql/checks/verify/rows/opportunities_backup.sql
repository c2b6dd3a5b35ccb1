-- id: verify.rows.opportunities_backup
-- severity: critical
-- relation: public.opportunities
-- message: every opportunity has what the deal was in its backup columns
-- hint: migrate again from the backup, or roll back
-- samples: no
-- until: cleanup

select id, stage as stage_backup, company_id as company_id_backup
from public.deals;

select id, stage_backup, company_id_backup
from public.opportunities
