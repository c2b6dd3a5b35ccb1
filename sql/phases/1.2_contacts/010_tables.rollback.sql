-- kind: transaction
-- summary: drop the junction tables of contacts and organizations

lock table public.companies, public.contacts, public.sales in access exclusive mode;

drop table public.contact_preferred_principals;
drop table public.contact_organizations;
drop function public.check_principal_organization();
drop function public.deleted_by_now(timestamptz);
drop function public.stamp_soft_delete();
