-- id: companies.size.unknown
-- severity: warning
-- relation: public.companies
-- message: size is none that the application offers
-- hint: kept as it is; forms and filters do not show it
-- tolerate: 0.5%
-- clean-up: update public.companies t set size = null
-- clean-up: where t.size not in (1, 10, 50, 250, 500);

select t.id as key, t.size::text as detail
from public.companies t
where t.size not in (1, 10, 50, 250, 500);
