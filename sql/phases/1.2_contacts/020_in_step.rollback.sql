-- kind: transaction
-- summary: a contact's company_id stands alone again

drop trigger primary_organization_follows_contact on public.contacts;
drop trigger primary_organization_follows_new_contact on public.contacts;
drop function public.primary_organization_follows_contact();
drop view migration_control.derived_contact_organizations;
