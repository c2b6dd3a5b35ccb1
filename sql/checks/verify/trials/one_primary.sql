-- id: verify.trial.one_primary
-- severity: critical
-- message: a contact is accepted with two live primary organizations
-- hint: make the index contact_organizations_live_primary_key again
-- refused: 23505

insert into public.companies (id, name) values (-7, 'x'), (-8, 'y');
insert into public.contacts (id) values (-7);
insert into public.contact_organizations (id, contact_id, organization_id, is_primary) values (-7, -7, -7, true);
insert into public.contact_organizations (id, contact_id, organization_id, is_primary) values (-8, -7, -8, true)
