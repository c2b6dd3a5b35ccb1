-- kind: concurrent
-- summary: index of live opportunities by status, dropped

drop index concurrently public.opportunities_status_idx;
