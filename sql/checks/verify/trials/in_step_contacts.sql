-- id: verify.trial.in_step_contacts
-- severity: critical
-- message: a contact's company and its primary organization do not stay in step
-- hint: make the triggers of 1.2/020_in_step and 1.2/040_access again

insert into public.companies (id, name) values (-7, 'x'), (-8, 'y');
insert into public.contacts (id, first_name) values (-7, 'x');
insert into public.contact_organizations (id, contact_id, organization_id, is_primary) values (-7, -7, -7, true);
insert into public.contact_organizations (id, contact_id, organization_id) values (-8, -7, -8);
update public.contacts set company_id = -8 where id = -7;

select 'contact -7' as key, pg_catalog.format('company %s, organization %s', c.company_id, o.organization_id) as detail
from public.contacts c
left join public.contact_organizations o on o.contact_id = c.id and o.is_primary and o.deleted_at is null
where c.id = -7 and (c.company_id is distinct from -8 or o.organization_id is distinct from -8)
