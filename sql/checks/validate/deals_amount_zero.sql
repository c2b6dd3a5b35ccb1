-- id: deals.amount.zero
-- severity: info
-- relation: public.deals
-- message: the amount is 0
-- hint: kept as it is
-- clean-up: update public.deals t set amount = null
-- clean-up: where t.amount = 0;

select t.id as key
from public.deals t
where t.amount = 0;
