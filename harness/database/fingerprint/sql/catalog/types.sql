-- Enums with their labels in order, domains, ranges, composite types (their columns apart), base types, and
-- shell types (p), whose definition is still to come.
select case t.typtype when 'd' then 'domain ' else 'type ' end || n.name || '.' || quote_ident(t.typname),
  jsonb_build_object(
    'kind', t.typtype,
    'labels', (select jsonb_agg(e.enumlabel order by e.enumsortorder)
               from pg_enum e where e.enumtypid = t.oid),
    'columns', (select jsonb_agg(quote_ident(a.attname) order by a.attnum)
                from pg_attribute a
                where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped),
    'base', case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end,
    'not_null', t.typnotnull,
    'default', coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault),
    'collation', (select quote_ident(s.nspname) || '.' || quote_ident(o.collname)
                  from pg_collation o join pg_namespace s on s.oid = o.collnamespace
                  where o.oid = t.typcollation),
    'range', (select jsonb_build_object(
        'subtype', r.rngsubtype::regtype::text, 'multirange', r.rngmultitypid::regtype::text,
        'collation', nullif(r.rngcollation, 0)::regcollation::text,
        'operator_class', (select c.opcnamespace::regnamespace::text || '.' || quote_ident(c.opcname)
                           from pg_opclass c where c.oid = r.rngsubopc),
        'canonical', r.rngcanonical::oid::regprocedure::text,
        'difference', r.rngsubdiff::oid::regprocedure::text)
      from pg_range r where r.rngtypid = t.oid),
    'physical', case when t.typtype = 'b' then jsonb_build_object(
        'input', t.typinput::regproc::text, 'output', t.typoutput::regproc::text,
        'receive', t.typreceive::regproc::text, 'send', t.typsend::regproc::text,
        'modifier_in', t.typmodin::regproc::text, 'modifier_out', t.typmodout::regproc::text,
        'analyze', t.typanalyze::regproc::text, 'subscript', t.typsubscript::regproc::text,
        'length', t.typlen, 'by_value', t.typbyval, 'alignment', t.typalign,
        'storage', t.typstorage, 'category', t.typcategory, 'preferred', t.typispreferred,
        'delimiter', t.typdelim, 'element', nullif(t.typelem, 0)::regtype::text) end
  )
from pg_type t
join namespace n on n.oid = t.typnamespace and t.oid >= n.first_oid
where t.typtype in ('e', 'd', 'r', 'c', 'b', 'p')
  and (t.typrelid = 0 or (select c.relkind from pg_class c where c.oid = t.typrelid) = 'c')
  and not exists (select from pg_type i where i.typarray = t.oid)
  and not exists (select from extended e where e.classid = 'pg_type'::regclass and e.objid = t.oid)
