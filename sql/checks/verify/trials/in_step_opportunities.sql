-- id: verify.trial.in_step_opportunities
-- severity: critical
-- message: an opportunity's company, customer and primary participant do not stay in step
-- hint: make the triggers of 1.3/020_in_step and 1.3/040_access again

insert into public.companies (id, name) values (-7, 'x');
insert into public.opportunities (id, name) values (-7, 'x');
insert into public.opportunity_participants (id, opportunity_id, organization_id, role, is_primary)
values (-7, -7, -7, 'customer', true);

select 'opportunity -7' as key, pg_catalog.format('company %s, customer %s', o.company_id, o.customer_organization_id) as detail
from public.opportunities o
where o.id = -7 and (o.company_id is distinct from -7 or o.customer_organization_id is distinct from -7)
