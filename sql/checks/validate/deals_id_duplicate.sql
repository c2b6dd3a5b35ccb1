-- id: deals.id.duplicate
-- severity: critical
-- relation: public.deals
-- message: id stands in more than one row
-- hint: opportunities.id is the primary key of the target; the primary key is gone or broken, so put it back when the ids are apart
-- clean-up: update public.deals t set id = nextval(pg_get_serial_sequence('public.deals', 'id'))
-- clean-up: where exists (select from public.deals o where o.id = t.id and o.ctid < t.ctid);

select t.id as key, count(*) || ' rows' as detail
from public.deals t
group by t.id
having count(*) > 1;
