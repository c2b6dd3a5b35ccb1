-- Relations of a schema that a role sees in the API: name, description, kind, writable, key, columns in order.
-- A column: name, type, whether null is taken, default, longest text, labels of an enum, description, generated.
with recursive base_type (oid, base) as (
    select t.oid, t.oid from pg_catalog.pg_type as t where t.typtype <> 'd'
    union all
    select t.oid, b.base from pg_catalog.pg_type as t join base_type as b on b.oid = t.typbasetype
    where t.typtype = 'd'
)
select
    c.relname::text,
    pg_catalog.obj_description(c.oid, 'pg_class'),
    c.relkind::text,
    c.relkind in ('r', 'p')
        or (c.relkind in ('v', 'f') and pg_catalog.pg_relation_is_updatable(c.oid, true) & 28 <> 0),
    coalesce((
        select pg_catalog.array_agg(a.attname::text order by a.attname)
        from pg_catalog.pg_constraint as k
        join pg_catalog.pg_attribute as a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
        where k.conrelid = c.oid and k.contype = 'p'
    ), '{}'),
    coalesce((
        select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', a.attname,
            'type', case
                when t.typtype = 'd' and bt.typnamespace = 'pg_catalog'::regnamespace
                    then pg_catalog.format_type(bt.oid, null)
                when t.typtype <> 'd' and t.typnamespace = 'pg_catalog'::regnamespace
                    then pg_catalog.format_type(a.atttypid, null)
                else pg_catalog.format_type(a.atttypid, a.atttypmod)
            end,
            'nullable', not (a.attnotnull or (t.typtype = 'd' and t.typnotnull)),
            'default', case
                when t.typbasetype <> 0 and d.adbin is null then pg_catalog.pg_get_expr(t.typdefaultbin, 0)
                when a.attidentity <> '' then 'identity'
                when a.attgenerated <> '' then null
                else pg_catalog.pg_get_expr(d.adbin, d.adrelid)
            end,
            'longest', information_schema._pg_char_max_length(
                information_schema._pg_truetypid(a.*, t.*), information_schema._pg_truetypmod(a.*, t.*)),
            'labels', (
                select pg_catalog.jsonb_agg(e.enumlabel order by e.enumsortorder)
                from pg_catalog.pg_enum as e where e.enumtypid = bt.oid
            ),
            'description', pg_catalog.col_description(c.oid, a.attnum),
            'generated', a.attgenerated <> '' or a.attidentity = 'a'
        ) order by a.attnum)
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_type as t on t.oid = a.atttypid
        left join base_type as b on b.oid = t.oid
        left join pg_catalog.pg_type as bt on bt.oid = b.base
        left join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ), '[]')
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = %(schema)s
    and c.relkind in ('v', 'r', 'm', 'f', 'p')
    and not c.relispartition
    and (
        pg_catalog.pg_has_role(%(role)s::name, c.relowner, 'USAGE')
        or pg_catalog.has_table_privilege(
            %(role)s::name, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        or pg_catalog.has_any_column_privilege(%(role)s::name, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
    )
order by 1
