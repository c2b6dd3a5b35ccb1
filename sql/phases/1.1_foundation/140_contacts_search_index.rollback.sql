-- kind: concurrent
-- summary: search index of contacts, dropped

drop index concurrently public.contacts_search_tsv_idx;
