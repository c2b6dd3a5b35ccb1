-- kind: concurrent
-- summary: index of opportunities by the time they were created, dropped

drop index concurrently public.opportunities_created_at_idx;
