-- kind: concurrent
-- summary: index of opportunities as the board of old clients shows them, dropped

drop index concurrently public.opportunities_legacy_stage_idx;
