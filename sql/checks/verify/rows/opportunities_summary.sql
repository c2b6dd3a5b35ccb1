-- id: verify.rows.opportunities_summary
-- severity: critical
-- relation: public.opportunities_summary
-- message: opportunities_summary says of each opportunity what deals_summary said of the deal
-- hint: make the view again
-- samples: no

select id, name, amount, company_id, company_name, contact_names, nb_notes
from public.deals_summary;

select id, name, amount, company_id, company_name, contact_names, nb_notes
from public.opportunities_summary
