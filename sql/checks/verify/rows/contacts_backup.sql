-- id: verify.rows.contacts_backup
-- severity: critical
-- relation: public.contacts
-- message: every contact has its company in the backup column
-- hint: restore what differs from the backup, or roll back
-- samples: no
-- until: cleanup

select id, company_id as company_id_backup
from public.contacts;

select id, company_id_backup
from public.contacts
