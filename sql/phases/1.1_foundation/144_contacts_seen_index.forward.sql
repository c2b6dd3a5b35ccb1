-- kind: concurrent
-- summary: index of contacts as the list shows them: last seen first

create index concurrently contacts_last_seen_idx on public.contacts (last_seen desc, id);
