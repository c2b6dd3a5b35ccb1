-- name: tables
select c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text,
    case when c.relkind in ('r', 'm') then pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8 else 0 end
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not n.nspname = any (%(ours)s)
    and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
order by 2, 3

-- name: columns
select a.attrelid::int8, a.attnum::int4, a.attname::text, a.attgenerated <> '' or a.attidentity = 'a'
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by 1, 2

-- name: indexes
select i.indexrelid::int8, i.indrelid::int8, quote_ident(n.nspname) || '.' || quote_ident(c.relname), m.amname::text,
    (i.indkey::int2[])[0:i.indnkeyatts - 1]::int4[] as keys,
    i.indpred is not null or i.indexprs is not null,
    coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') || ' / '
        || coalesce(pg_catalog.pg_get_expr(i.indexprs, i.indrelid), ''),
    i.indisunique, i.indisprimary
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_am m on m.oid = c.relam
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where i.indisvalid and i.indisready and c.relkind in ('i', 'I')
order by 3

-- name: references
select k.conrelid::int8, k.conkey::int4[]
from pg_catalog.pg_constraint k
where k.contype = 'f'
order by 1, 2
