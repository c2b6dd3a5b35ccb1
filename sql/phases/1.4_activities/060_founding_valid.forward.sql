-- kind: transaction
-- summary: founding_interaction_id references an activity in every row
alter table public.opportunities validate constraint opportunities_founding_interaction_id_fkey;
