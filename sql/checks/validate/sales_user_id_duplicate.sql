-- id: sales.user_id.duplicate
-- severity: critical
-- relation: public.sales
-- message: one user has more than one sales row
-- hint: give the rows of the second one to the first, then delete it; the unique index is missing or invalid
-- clean-up: select s.user_id, array_agg(s.id order by s.id) as sales_ids
-- clean-up: from public.sales s group by s.user_id having count(*) > 1;

select t.id as key, 'user_id ' || t.user_id as detail
from (select s.id, s.user_id, count(*) over (partition by s.user_id) as times from public.sales s) t
where t.times > 1;
