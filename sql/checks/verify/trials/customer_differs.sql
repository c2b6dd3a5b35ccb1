-- id: verify.trial.customer_differs
-- severity: critical
-- message: two different customers are accepted on one opportunity
-- hint: make the trigger opportunities_derive again
-- refused: 23514

insert into public.companies (id, name) values (-7, 'x'), (-8, 'y');
insert into public.opportunities (id, name, company_id, customer_organization_id) values (-7, 'x', -7, -8)
