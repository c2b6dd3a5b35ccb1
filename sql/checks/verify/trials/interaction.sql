-- id: verify.trial.interaction
-- severity: critical
-- message: an interaction is accepted without an opportunity
-- hint: make the constraint activities_interaction_has_opportunity_check again
-- refused: 23514

insert into public.contacts (id) values (-7);
insert into public.activities (id, activity_type, type, subject, contact_id) values (-7, 'interaction', 'call', 'x', -7)
