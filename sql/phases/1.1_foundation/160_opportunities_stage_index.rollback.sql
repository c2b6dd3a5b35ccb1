-- kind: concurrent
-- summary: index of live opportunities by stage, dropped

drop index concurrently public.opportunities_stage_idx;
