-- id: companies.name.spaces
-- severity: warning
-- relation: public.companies
-- message: blanks stand around a name
-- hint: sorting and search see the blanks
-- tolerate: 0.5%
-- clean-up: update public.companies t set name = btrim(t.name)
-- clean-up: where t.name <> btrim(t.name) and btrim(t.name) <> '';

select t.id as key, concat_ws(' ', quote_nullable(t.name)) as detail
from public.companies t
where t.name <> btrim(t.name) and btrim(t.name) <> '';
