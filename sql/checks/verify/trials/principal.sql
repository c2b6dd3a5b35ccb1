-- id: verify.trial.principal
-- severity: critical
-- message: an organization that is no principal is accepted as one
-- hint: make the trigger check_principal_organization again
-- refused: 23514

insert into public.companies (id, name) values (-7, 'x');
insert into public.contacts (id) values (-7);
insert into public.contact_preferred_principals (id, contact_id, principal_organization_id) values (-7, -7, -7)
