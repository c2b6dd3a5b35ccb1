-- id: schema.keys
-- severity: critical
-- message: a table that new tables refer to has no primary key on id
-- hint: the junction tables and activities refer to it; make the key again first
-- clean-up: select 'alter table … add primary key (id)'

select v.relation as key
from (values ('public.companies'), ('public.contacts'), ('public.deals'), ('public.sales'), ('public.tasks')) v (relation)
where not exists (
    select from pg_catalog.pg_constraint k
    join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attname = 'id'
    where k.conrelid = v.relation::regclass and k.contype in ('p', 'u') and k.conkey = array[a.attnum]
        and not k.condeferrable
)
