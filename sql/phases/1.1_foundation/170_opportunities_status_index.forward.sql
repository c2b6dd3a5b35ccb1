-- kind: concurrent
-- summary: index of live opportunities by status

create index concurrently opportunities_status_idx on public.deals (status) where deleted_at is null;
