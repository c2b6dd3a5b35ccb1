-- kind: concurrent
-- summary: search index of contacts

create index concurrently contacts_search_tsv_idx on public.contacts using gin (search_tsv);
