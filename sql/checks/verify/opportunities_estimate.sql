-- id: verify.opportunities_estimate
-- severity: critical
-- relation: public.opportunities
-- message: opportunities that are estimated and expected on two days
-- hint: write expected_closing_date again

select o.id as key, pg_catalog.format('%s, expected %s', o.estimated_close_date, o.expected_closing_date) as detail
from public.opportunities o
where o.estimated_close_date is distinct from (o.expected_closing_date at time zone 'UTC')::date
