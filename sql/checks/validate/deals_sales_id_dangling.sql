-- id: deals.sales_id.dangling
-- severity: critical
-- relation: public.deals
-- message: sales_id names a row of sales that does not exist
-- hint: a foreign key of the target would refuse the row; find out how it was lost before it is cleaned up
-- clean-up: update public.deals t set sales_id = null
-- clean-up: where t.sales_id is not null and not exists (select from public.sales r where r.id = t.sales_id);

select t.id as key, 'sales_id ' || t.sales_id as detail
from public.deals t
where t.sales_id is not null and not exists (select from public.sales r where r.id = t.sales_id);
