-- id: verify.trial.one_live
-- severity: critical
-- message: a contact is accepted twice in one organization
-- hint: make the index contact_organizations_live_key again
-- refused: 23505

insert into public.companies (id, name) values (-7, 'x');
insert into public.contacts (id) values (-7);
insert into public.contact_organizations (id, contact_id, organization_id) values (-7, -7, -7);
insert into public.contact_organizations (id, contact_id, organization_id) values (-8, -7, -7)
