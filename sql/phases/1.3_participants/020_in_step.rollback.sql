-- kind: transaction
-- summary: an opportunity's customer stands alone again

drop trigger primary_customer_follows_opportunity on public.opportunities;
drop trigger primary_customer_follows_new_opportunity on public.opportunities;
drop function public.primary_customer_follows_opportunity();
drop view migration_control.derived_opportunity_participants;
