-- id: deals.expected_closing_date.order
-- severity: warning
-- relation: public.deals
-- message: a deal was to close before it was created
-- hint: estimated_close_date is made of it
-- tolerate: 0.5%
-- clean-up: update public.deals t set expected_closing_date = null
-- clean-up: where t.expected_closing_date < t.created_at - interval '1 day';

select t.id as key, t.expected_closing_date || ' before ' || t.created_at as detail
from public.deals t
where t.expected_closing_date < t.created_at - interval '1 day';
