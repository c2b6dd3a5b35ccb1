-- kind: transaction
-- summary: founding_interaction_id references nothing

lock table public.opportunities, public.activities in access exclusive mode;

alter table public.opportunities drop constraint opportunities_founding_interaction_id_fkey;
