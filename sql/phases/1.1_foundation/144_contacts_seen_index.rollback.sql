-- kind: concurrent
-- summary: index of contacts as the list shows them, dropped

drop index concurrently public.contacts_last_seen_idx;
