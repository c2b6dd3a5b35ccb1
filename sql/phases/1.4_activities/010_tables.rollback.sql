-- kind: transaction
-- summary: drop activities and their participants

lock table public.companies, public.contacts, public.opportunities, public.sales in access exclusive mode;

drop table public.interaction_participants;
drop table public.activities;
