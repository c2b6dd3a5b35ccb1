-- id: deals.amount.large
-- severity: warning
-- relation: public.deals
-- message: the amount is beyond 2^31
-- hint: kept as it is; clients that read 32 bits fail
-- tolerate: 0.5%
-- clean-up: select t.id, t.name, t.amount from public.deals t
-- clean-up: where t.amount > 2147483647;

select t.id as key, t.amount::text as detail
from public.deals t
where t.amount > 2147483647;
