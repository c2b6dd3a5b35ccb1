-- name: enums
select t.typname as name, array_agg(e.enumlabel::text order by e.enumsortorder) as labels
from pg_catalog.pg_type t
join pg_catalog.pg_enum e on e.enumtypid = t.oid
where t.typnamespace = 'public'::pg_catalog.regnamespace
group by t.typname

-- name: columns
select c.relname as relation, c.relkind::text as kind, a.attname as name,
  pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
  a.attnotnull as not_null, a.attidentity::text as identity, a.attgenerated::text as generated,
  pg_catalog.pg_get_expr(d.adbin, d.adrelid) as default_value
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('r', 'v')
order by c.relname, a.attnum

-- name: foreign_keys
select c.relname || '.' || string_agg(a.attname, ', ' order by a.attnum) as key,
  r.relname as referenced, k.confdeltype::text as on_delete, k.convalidated as validated,
  k.conname as name
from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.conrelid
join pg_catalog.pg_class r on r.oid = k.confrelid
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = any (k.conkey)
where k.contype = 'f' and c.relnamespace = 'public'::pg_catalog.regnamespace
group by c.relname, r.relname, k.confdeltype, k.convalidated, k.conname, k.oid

-- name: unvalidated
select k.conrelid::pg_catalog.regclass::text || '.' || k.conname as name
from pg_catalog.pg_constraint k
where not k.convalidated and k.connamespace = 'public'::pg_catalog.regnamespace

-- name: indexes
select c.relname as relation, i.relname as name, m.amname as method, x.indisunique as is_unique,
  x.indisvalid and x.indisready and x.indislive as usable,
  (select array_agg(pg_catalog.pg_get_indexdef(x.indexrelid, n::int, true) order by n)
     from generate_series(1, x.indnkeyatts) n) as columns,
  pg_catalog.pg_get_expr(x.indpred, x.indrelid, true) as predicate
from pg_catalog.pg_index x
join pg_catalog.pg_class i on i.oid = x.indexrelid
join pg_catalog.pg_class c on c.oid = x.indrelid
join pg_catalog.pg_am m on m.oid = i.relam
where c.relnamespace = 'public'::pg_catalog.regnamespace

-- name: names
-- Every name that hangs on a base table or stands beside it.
select 'table ' || c.relname as name from pg_catalog.pg_class c
where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind = 'r'
union all
select case c.relkind when 'S' then 'sequence ' else 'index ' end || c.relname
from pg_catalog.pg_class c
where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('S', 'i')
union all
select 'column ' || c.relname || '.' || a.attname
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind = 'r'
union all
select 'constraint ' || k.conname from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.conrelid
where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind = 'r'
union all
select 'policy ' || p.polname from pg_catalog.pg_policy p
join pg_catalog.pg_class c on c.oid = p.polrelid
where c.relnamespace = 'public'::pg_catalog.regnamespace
union all
select 'trigger ' || t.tgname from pg_catalog.pg_trigger t
join pg_catalog.pg_class c on c.oid = t.tgrelid
where not t.tgisinternal and c.relkind = 'r'
  and c.relnamespace = 'public'::pg_catalog.regnamespace
