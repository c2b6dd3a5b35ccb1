-- id: contacts.company_id.dangling
-- severity: critical
-- relation: public.contacts
-- message: company_id names a row of companies that does not exist
-- hint: a foreign key of the target would refuse the row; find out how it was lost before it is cleaned up
-- clean-up: update public.contacts t set company_id = null
-- clean-up: where t.company_id is not null and not exists (select from public.companies r where r.id = t.company_id);

select t.id as key, 'company_id ' || t.company_id as detail
from public.contacts t
where t.company_id is not null and not exists (select from public.companies r where r.id = t.company_id);
