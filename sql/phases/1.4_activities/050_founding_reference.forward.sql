-- kind: transaction
-- summary: founding_interaction_id references an activity, for rows written from now on

lock table public.opportunities, public.activities in share row exclusive mode;

alter table public.opportunities
    add constraint opportunities_founding_interaction_id_fkey
    foreign key (founding_interaction_id) references public.activities (id) on delete set null
    not valid;
