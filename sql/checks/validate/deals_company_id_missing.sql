-- id: deals.company_id.missing
-- severity: info
-- relation: public.deals
-- message: a deal has no company
-- hint: the opportunity gets no customer
-- clean-up: select t.* from public.deals t
-- clean-up: where t.company_id is null;

select t.id as key
from public.deals t
where t.company_id is null;
