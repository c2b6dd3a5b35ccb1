-- kind: transaction
-- summary: drop the participants and products of opportunities

lock table public.companies, public.opportunities, public.sales in access exclusive mode;

drop table public.opportunity_products;
drop table public.opportunity_participants;
drop function public.check_participant_role();
