-- id: verify.parked
-- severity: critical
-- message: the way back lacks an old view, or a name to restore
-- hint: roll back from the backup instead; the database cannot go back on its own
-- until: cleanup

select v.name as key
from (values ('companies_summary'), ('contacts_summary'), ('deals_summary')) v (name)
left join migration_control.parked p on p.name = v.name
left join pg_catalog.pg_class c on c.relname = v.name
    and c.relnamespace = pg_catalog.to_regnamespace('migration_control')::oid and c.relkind = 'v'
where p.name is null or c.oid is null
