-- kind: concurrent
-- summary: drop the index on founding_interaction_id
drop index concurrently public.opportunities_founding_interaction_id_idx;
