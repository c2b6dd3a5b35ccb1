-- kind: concurrent
-- summary: index of contacts as the log shows them, dropped

drop index concurrently public.contacts_first_seen_idx;
