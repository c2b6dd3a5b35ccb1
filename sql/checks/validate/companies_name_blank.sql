-- id: companies.name.blank
-- severity: warning
-- relation: public.companies
-- message: a company has no name
-- tolerate: 0.5%
-- clean-up: update public.companies t set name = 'Company ' || t.id
-- clean-up: where btrim(t.name, e' \t\r\n\u00a0\ufeff\u200b') = '';

select t.id as key
from public.companies t
where btrim(t.name, e' \t\r\n\u00a0\ufeff\u200b') = '';
