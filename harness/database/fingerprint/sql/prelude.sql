-- What belongs to the fingerprint: put before every query of this directory.
-- `namespace`: the schemas that are ours; `extended`: what an extension owns; `relation`, `routine`: the
-- relations and functions of our schemas that no extension owns, by qualified name.
with namespace as (
  select oid, nspname, quote_ident(nspname) as name, nspowner, nspacl
  from pg_namespace
  where nspname !~ '^pg_' and nspname <> 'information_schema'
    and nspname <> all (current_setting('harness.fingerprint_excludes')::text[])
),
extended as (
  select classid, objid from pg_depend where deptype = 'e'
),
relation as (
  select c.*, n.name || '.' || quote_ident(c.relname) as name,
    case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
      when 'S' then 'sequence' when 'i' then 'index' when 'I' then 'index' when 'c' then 'type'
      else 'table' end as kind
  from pg_class c
  join namespace n on n.oid = c.relnamespace
  where not exists (select from extended e where e.classid = 'pg_class'::regclass and e.objid = c.oid)
),
routine as (
  select p.*, n.name || '.' || quote_ident(p.proname) || '('
    || coalesce((select string_agg(format_type(a.type, null), ',' order by a.position)
                 from unnest(p.proargtypes) with ordinality a(type, position)), '') || ')' as name,
    case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind
  from pg_proc p
  join namespace n on n.oid = p.pronamespace
  where not exists (select from extended e where e.classid = 'pg_proc'::regclass and e.objid = p.oid)
)
