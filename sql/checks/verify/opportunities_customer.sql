-- id: verify.opportunities_customer
-- severity: critical
-- relation: public.opportunities
-- message: opportunities whose company, customer and live primary participant are not one
-- hint: write the opportunity's company_id again; the trigger brings the others along

select o.id as key, pg_catalog.format('company %s, customer %s, participant %s',
    o.company_id, o.customer_organization_id, p.organization_id) as detail
from public.opportunities o
left join public.opportunity_participants p
    on p.opportunity_id = o.id and p.role = 'customer' and p.is_primary and p.deleted_at is null
where o.company_id is distinct from p.organization_id or o.company_id is distinct from o.customer_organization_id
