-- Tables, views, materialized views, foreign tables: what they are apart from columns and privileges.
select c.kind || ' ' || c.name,
  jsonb_build_object(
    'columns', (select coalesce(jsonb_agg(quote_ident(a.attname) order by a.attnum), '[]')
                from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    'persistence', c.relpersistence,
    'access_method', (select amname from pg_am where oid = c.relam),
    'tablespace', (select spcname from pg_tablespace where oid = c.reltablespace),
    -- a view's security options are in the security part
    'options', (select coalesce(jsonb_agg(o order by o), '[]') from unnest(c.reloptions) o
                where o !~ '^security_(invoker|barrier)='),
    'toast_options', (select coalesce(jsonb_agg(o order by o), '[]')
                      from pg_class t, unnest(t.reloptions) o where t.oid = c.reltoastrelid),
    'replica_identity', c.relreplident,
    'inherits', (select coalesce(jsonb_agg(i.inhparent::regclass::text order by i.inhseqno), '[]')
                 from pg_inherits i where i.inhrelid = c.oid),
    'detach_pending', (select bool_or((to_jsonb(i) ->> 'inhdetachpending')::boolean)
                       from pg_inherits i where i.inhrelid = c.oid),
    'partition_key', pg_get_partkeydef(c.oid),
    'partition_bound', pg_get_expr(c.relpartbound, c.oid),
    'of_type', nullif(c.reloftype, 0)::regtype::text,
    'populated', c.relispopulated,
    'depends_on_extension', x.extensions,
    'definition', case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end
  )
from relation c
left join dependent x on x.classid = 'pg_class'::regclass and x.objid = c.oid
where c.relkind in ('r', 'p', 'v', 'm', 'f')
