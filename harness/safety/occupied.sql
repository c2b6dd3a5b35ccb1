-- Whatever somebody made in this database, by name; nothing of it is in one fresh from template0.
with namespace as (
  select oid, nspname from pg_catalog.pg_namespace
  where nspname !~ '^pg_' and nspname <> 'information_schema'
), found (name) as (
  select 'schema ' || quote_ident(nspname) from namespace where nspname <> 'public'
  union all
  select 'relation ' || c.oid::regclass::text
  from pg_catalog.pg_class c join namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  union all
  select 'function ' || p.oid::regprocedure::text
  from pg_catalog.pg_proc p join namespace n on n.oid = p.pronamespace
  union all
  select 'type ' || t.oid::regtype::text
  from pg_catalog.pg_type t join namespace n on n.oid = t.typnamespace
  where t.typtype in ('e', 'd', 'r', 'b') and t.typelem = 0
  union all
  select 'extension ' || quote_ident(extname) from pg_catalog.pg_extension where extname <> 'plpgsql'
  union all
  select 'large object ' || oid from pg_catalog.pg_largeobject_metadata
  union all
  select 'event trigger ' || quote_ident(evtname) from pg_catalog.pg_event_trigger
  union all
  select 'publication ' || quote_ident(pubname) from pg_catalog.pg_publication
  union all
  select 'server ' || quote_ident(srvname) from pg_catalog.pg_foreign_server
  union all
  select 'default privileges of ' || defaclrole::regrole::text from pg_catalog.pg_default_acl
)
select name from found order by 1
