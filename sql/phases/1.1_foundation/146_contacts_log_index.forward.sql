-- kind: concurrent
-- summary: index of contacts as the log shows them: newest first

create index concurrently contacts_first_seen_idx on public.contacts (first_seen, id);
