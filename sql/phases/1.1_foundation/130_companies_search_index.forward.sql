-- kind: concurrent
-- summary: search index of companies

create index concurrently companies_search_tsv_idx on public.companies using gin (search_tsv);
