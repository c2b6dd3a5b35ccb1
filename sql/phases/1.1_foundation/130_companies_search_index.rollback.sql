-- kind: concurrent
-- summary: search index of companies, dropped

drop index concurrently public.companies_search_tsv_idx;
