-- id: verify.trial.participant_role
-- severity: critical
-- message: a company that is no distributor is accepted as one
-- hint: make the trigger check_participant_role again
-- refused: 23514

insert into public.companies (id, name, is_principal) values (-7, 'x', true);
insert into public.opportunities (id, name) values (-7, 'x');
insert into public.opportunity_participants (id, opportunity_id, organization_id, role) values (-7, -7, -7, 'distributor')
