-- What belongs to the fingerprint: put before every query of this directory.
-- `namespace`: the schemas that are ours, without those of maintenance mode, webhooks and mails, and from which oid on: of the server's own schemas only what was
-- put there after initdb. `tied`: what an extension owns (e) or takes along when it is dropped (x).
-- `extended`: what an extension owns. `left_out`: the relations that are left out by name, such as a tool's
-- table of versions, with their indexes and the sequences that their columns own. `relation`, `routine`: the
-- other relations and the functions of our schemas that no extension owns, by qualified name.
with namespace as (
  select oid, nspname, quote_ident(nspname) as name, nspowner, nspacl, first_oid
  from (
    select *, case when nspname in ('pg_catalog', 'information_schema') then 16384 else 0 end as first_oid
    from pg_namespace
    where (nspname !~ '^pg_' or nspname = 'pg_catalog')
      and nspname <> all (current_setting('harness.fingerprint_excludes')::text[])
      and nspname not in ('migration_maintenance', 'migration_outbox', 'migration_mail')
  ) n
),
tied as materialized (
  select classid, objid, deptype, refobjid as extension
  from pg_depend where refclassid = 'pg_extension'::regclass and deptype in ('e', 'x')
),
extended as (
  select classid, objid from tied where deptype = 'e'
),
dependent as (
  select t.classid, t.objid, jsonb_agg(x.extname order by x.extname) as extensions
  from tied t join pg_extension x on x.oid = t.extension
  where t.deptype = 'x'
  group by t.classid, t.objid
),
excluded (name) as (
  select unnest(coalesce(nullif(current_setting('harness.fingerprint_leaves_out', true), ''), '{}')::text[])
),
left_out as materialized (
  with named as (
    select c.oid
    from pg_class c join namespace n on n.oid = c.relnamespace
    join excluded e on e.name in (n.nspname || '.' || c.relname, n.name || '.' || quote_ident(c.relname), c.relname)
  )
  select oid from named
  union
  select i.indexrelid from pg_index i join named on named.oid = i.indrelid
  union
  select d.objid from pg_depend d join named on named.oid = d.refobjid
  where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
),
relation as (
  select c.*, n.name || '.' || quote_ident(c.relname) as name,
    case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
      when 'S' then 'sequence' when 'i' then 'index' when 'I' then 'index' when 'c' then 'type'
      else 'table' end as kind
  from pg_class c
  join namespace n on n.oid = c.relnamespace and c.oid >= n.first_oid
  where not exists (select from extended e where e.classid = 'pg_class'::regclass and e.objid = c.oid)
    and c.oid not in (select oid from left_out)
),
routine as (
  select p.*, n.name || '.' || quote_ident(p.proname) || '('
    || coalesce((select string_agg(format_type(a.type, null), ',' order by a.position)
                 from unnest(p.proargtypes) with ordinality a(type, position)), '') || ')' as name,
    case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind
  from pg_proc p
  join namespace n on n.oid = p.pronamespace and p.oid >= n.first_oid
  where not exists (select from extended e where e.classid = 'pg_proc'::regclass and e.objid = p.oid)
)
