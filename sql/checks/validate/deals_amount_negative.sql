-- id: deals.amount.negative
-- severity: warning
-- relation: public.deals
-- message: the amount is negative
-- hint: kept as it is; sums of the dashboard count it
-- tolerate: 0.5%
-- clean-up: update public.deals t set amount = null
-- clean-up: where t.amount < 0;

select t.id as key, t.amount::text as detail
from public.deals t
where t.amount < 0;
