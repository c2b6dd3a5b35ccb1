-- id: companies.id.duplicate
-- severity: critical
-- relation: public.companies
-- message: id stands in more than one row
-- hint: the primary key of the target would be violated; the primary key is gone or broken, so put it back when the ids are apart
-- clean-up: update public.companies t set id = nextval(pg_get_serial_sequence('public.companies', 'id'))
-- clean-up: where exists (select from public.companies o where o.id = t.id and o.ctid < t.ctid);

select t.id as key, count(*) || ' rows' as detail
from public.companies t
group by t.id
having count(*) > 1;
