-- kind: concurrent
-- summary: search index of opportunities, dropped

drop index concurrently public.opportunities_search_tsv_idx;
