-- Indexes, with what a definition does not say: whether one is finished and what it is used for.
select 'index ' || c.name,
  jsonb_build_object(
    'table', i.indrelid::regclass::text,
    'definition', pg_get_indexdef(i.indexrelid),
    'unique', i.indisunique,
    'primary', i.indisprimary,
    'exclusion', i.indisexclusion,
    'immediate', i.indimmediate,
    'clustered', i.indisclustered,
    'valid', i.indisvalid,
    'ready', i.indisready,
    'live', i.indislive,
    'replica_identity', i.indisreplident,
    'options', (select coalesce(jsonb_agg(o order by o), '[]') from unnest(c.reloptions) o),
    'tablespace', (select spcname from pg_tablespace where oid = c.reltablespace),
    'parent', (select h.inhparent::regclass::text from pg_inherits h where h.inhrelid = c.oid),
    'statistics', (select jsonb_object_agg(a.attnum, a.attstattarget)
                   from pg_attribute a where a.attrelid = c.oid and a.attstattarget >= 0),
    'depends_on_extension', x.extensions
  )
from relation c
join pg_index i on i.indexrelid = c.oid
left join dependent x on x.classid = 'pg_class'::regclass and x.objid = c.oid
