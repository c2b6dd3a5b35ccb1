-- Columns of tables, views and composite types, by name; their order is an attribute of the relation.
select 'column ' || c.name || '.' || quote_ident(a.attname),
  jsonb_build_object(
    'type', format_type(a.atttypid, a.atttypmod),
    'collation', (select quote_ident(n.nspname) || '.' || quote_ident(o.collname)
                  from pg_collation o join pg_namespace n on n.oid = o.collnamespace
                  where o.oid = a.attcollation and a.attcollation <> t.typcollation),
    'not_null', a.attnotnull,
    'default', pg_get_expr(d.adbin, d.adrelid),
    'generated', nullif(a.attgenerated, ''),
    'identity', nullif(a.attidentity, ''),
    'storage', a.attstorage,
    'compression', nullif(a.attcompression, ''),
    'statistics', nullif(a.attstattarget, -1), -- -1 and, from 17 on, null say: the default
    'options', (select jsonb_agg(o order by o) from unnest(a.attoptions) o),
    'foreign_options', (select jsonb_agg(o order by o) from unnest(a.attfdwoptions) o),
    'local', a.attislocal,
    'inherited', a.attinhcount
  )
from relation c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
