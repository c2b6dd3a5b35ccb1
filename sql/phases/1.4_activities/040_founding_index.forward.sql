-- kind: concurrent
-- summary: index on founding_interaction_id, for deleting an activity
create index concurrently opportunities_founding_interaction_id_idx
    on public.opportunities (founding_interaction_id)
    where founding_interaction_id is not null;
