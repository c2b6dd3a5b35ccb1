-- kind: transaction
-- summary: the backup columns go; catalog only, no row is read or written
--
-- The index on what old clients called a stage goes with its column.

lock table public.contacts, public.opportunities in access exclusive mode;

alter table public.contacts drop column company_id_backup;
alter table public.opportunities drop column company_id_backup, drop column stage_backup;
