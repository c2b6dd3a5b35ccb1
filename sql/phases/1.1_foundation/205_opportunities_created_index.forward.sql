-- kind: concurrent
-- summary: index of opportunities by the time they were created

create index concurrently opportunities_created_at_idx on public.deals (created_at, id);
