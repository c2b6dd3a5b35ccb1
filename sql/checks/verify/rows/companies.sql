-- id: verify.rows.companies
-- severity: critical
-- relation: public.companies
-- message: every company is as it was, a customer with the defaults of its new columns
-- hint: restore what differs from the backup, or roll back

select
    id, created_at, name, sector, size, linkedin_url, website, phone_number, address, zipcode, city,
    "stateAbbr", sales_id, context_links, country, description, revenue, tax_identifier, logo,
    'customer' as organization_type, false as is_principal, false as is_distributor,
    null as parent_company_id, 'Standard' as segment, 'C' as priority, null as deleted_at, null as import_session_id
from public.companies;

select
    id, created_at, name, sector, size, linkedin_url, website, phone_number, address, zipcode, city,
    "stateAbbr", sales_id, context_links, country, description, revenue, tax_identifier, logo,
    organization_type, is_principal, is_distributor,
    parent_company_id, segment, priority, deleted_at, import_session_id
from public.companies
