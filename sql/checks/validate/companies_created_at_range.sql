-- id: companies.created_at.range
-- severity: warning
-- relation: public.companies
-- message: a date is before 1971 or after 2100
-- hint: kept as it is
-- tolerate: 0.5%
-- clean-up: update public.companies t
-- clean-up: set created_at = case when t.created_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z' then now() else t.created_at end
-- clean-up: where t.created_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';

select t.id as key, t.created_at::text as detail
from public.companies t
where t.created_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';
