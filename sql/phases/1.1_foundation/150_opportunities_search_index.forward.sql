-- kind: concurrent
-- summary: search index of opportunities

create index concurrently opportunities_search_tsv_idx on public.deals using gin (search_tsv);
