-- kind: concurrent
-- summary: index of opportunities by company, which the summary of companies counts by

create index concurrently opportunities_company_id_idx on public.deals (company_id) include (deleted_at);
