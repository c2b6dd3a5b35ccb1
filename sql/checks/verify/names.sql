-- id: verify.names
-- severity: warning
-- message: base tables and what hangs on them that are still named after a deal
-- hint: run step 1.1/210_swap again on the restored backup

select found.name as key
from (
    select c.relname as name from pg_catalog.pg_class c
    where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('r', 'i', 'S')
    union all
    select k.conname from pg_catalog.pg_constraint k
    where k.connamespace = 'public'::pg_catalog.regnamespace
    union all
    select p.policyname from pg_catalog.pg_policies p where p.schemaname = 'public'
    union all
    select t.tgname from pg_catalog.pg_trigger t
    join pg_catalog.pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind = 'r' and not t.tgisinternal
) found
where found.name ilike '%deal%'
