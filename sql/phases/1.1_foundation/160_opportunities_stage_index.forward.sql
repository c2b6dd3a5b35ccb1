-- kind: concurrent
-- summary: index of live opportunities by stage

create index concurrently opportunities_stage_idx on public.deals (stage_new) where deleted_at is null;
