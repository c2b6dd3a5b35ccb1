-- id: verify.trial.activity_of_nobody
-- severity: critical
-- message: an activity is accepted without a contact or an organization
-- hint: make the constraint activities_contact_or_organization_check again
-- refused: 23514

insert into public.activities (id, activity_type, type, subject) values (-7, 'engagement', 'call', 'x')
