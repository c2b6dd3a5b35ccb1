-- id: verify.rows.companies_summary
-- severity: critical
-- relation: public.companies_summary
-- message: companies_summary answers in its old columns as before
-- hint: make the view again
-- samples: no

select
    id, created_at, name, sector, size, linkedin_url, website, phone_number, address, zipcode, city,
    "stateAbbr", sales_id, context_links, country, description, revenue, tax_identifier, logo, nb_deals,
    nb_contacts
from public.companies_summary;

select
    id, created_at, name, sector, size, linkedin_url, website, phone_number, address, zipcode, city,
    "stateAbbr", sales_id, context_links, country, description, revenue, tax_identifier, logo, nb_deals,
    nb_contacts
from public.companies_summary
