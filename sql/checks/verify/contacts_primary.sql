-- id: verify.contacts_primary
-- severity: critical
-- relation: public.contacts
-- message: contacts whose company is not their live primary organization
-- hint: write the contact's company_id again; the trigger brings the organization along

select c.id as key, pg_catalog.format('company %s, organization %s', c.company_id, o.organization_id) as detail
from public.contacts c
left join public.contact_organizations o on o.contact_id = c.id and o.is_primary and o.deleted_at is null
where c.company_id is distinct from o.organization_id
