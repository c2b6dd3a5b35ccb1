-- id: verify.columns_backup
-- severity: critical
-- message: backup columns that are missing, or of another type, nullability or default
-- hint: roll back from the backup instead; the database cannot go back on its own
-- until: cleanup

select e.relation || '.' || e.name as key,
    case when a.name is null then 'is missing'
    else 'is ' || concat_ws(' ', a.type, a.nullable, 'default ' || a.fallback) end
        || ', must be ' || concat_ws(' ', e.type, e.nullable, 'default ' || e.fallback) as detail
from (values
    ('contacts', 'company_id_backup', 'bigint', null, null),
    ('opportunities', 'stage_backup', 'text', null, null),
    ('opportunities', 'company_id_backup', 'bigint', null, null)
) e (relation, name, type, nullable, fallback)
left join (
    select c.relname, a.attname as name, pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
        case when a.attnotnull then 'not null' end as nullable,
        pg_catalog.pg_get_expr(d.adbin, d.adrelid) as fallback
    from pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_catalog.pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind = 'r'
) a on a.relname = e.relation and a.name = e.name
where a.name is null or (a.type, coalesce(a.nullable, ''), coalesce(a.fallback, ''))
    is distinct from (e.type, coalesce(e.nullable, ''), coalesce(e.fallback, ''))
