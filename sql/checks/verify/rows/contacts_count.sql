-- id: verify.rows.contacts_count
-- severity: critical
-- relation: public.contacts_summary
-- message: nb_organizations counts the company of a contact
-- hint: make the view again, or fill contact_organizations
-- samples: no

select id, (company_id is not null)::int as n from public.contacts;

select id, nb_organizations as n from public.contacts_summary
