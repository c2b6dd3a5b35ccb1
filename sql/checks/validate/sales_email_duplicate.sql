-- id: sales.email.duplicate
-- severity: warning
-- relation: public.sales
-- message: several colleagues share an e-mail address
-- hint: decide which row stays; the migration keeps both
-- clean-up: select lower(btrim(s.email)) as address, array_agg(s.id order by s.id) as sales_ids
-- clean-up: from public.sales s group by 1 having count(*) > 1;

select t.id as key, t.email as detail
from (
    select s.id, s.email, count(*) over (partition by lower(btrim(s.email))) as times
    from public.sales s
    where btrim(s.email) <> ''
) t
where t.times > 1;
