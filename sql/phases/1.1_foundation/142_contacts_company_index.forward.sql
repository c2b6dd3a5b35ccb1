-- kind: concurrent
-- summary: index of contacts by company, which the summary of companies counts by

create index concurrently contacts_company_id_idx on public.contacts (company_id) include (deleted_at);
