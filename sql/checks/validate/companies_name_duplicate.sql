-- id: companies.name.duplicate
-- severity: warning
-- relation: public.companies
-- message: several companies have the same name
-- hint: merge them by hand where they are one company; the migration keeps them apart
-- tolerate: 0.5%
-- clean-up: select lower(btrim(c.name)) as name, array_agg(c.id order by c.id) as company_ids
-- clean-up: from public.companies c group by 1 having count(*) > 1;

select t.id as key, t.name as detail
from (
    select c.id, c.name, count(*) over (partition by lower(btrim(c.name))) as times
    from public.companies c
    where btrim(c.name) <> ''
) t
where t.times > 1;
