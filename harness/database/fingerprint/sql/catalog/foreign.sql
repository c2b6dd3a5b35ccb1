-- only if: exists (select from pg_foreign_data_wrapper where oid >= 16384)
-- Foreign data. The options of a user mapping hold passwords, so only their hash is told; those of a wrapper,
-- a server or a table may, so an option that is named like a secret is told by its hash.
, told as (
  select o.kind, o.id, jsonb_agg(
      case when v.name ~* '(pass|secret|key|token|credential)'
        then v.name || ' has hash ' || encode(sha256(textsend(v.option)), 'hex') else v.option end
      order by v.option) as options
  from (
    select 'wrapper' as kind, oid as id, fdwoptions as options from pg_foreign_data_wrapper
    union all select 'server', oid, srvoptions from pg_foreign_server
    union all select 'table', ftrelid, ftoptions from pg_foreign_table
  ) o
  cross join lateral (select option, split_part(option, '=', 1) as name from unnest(o.options) option) v
  group by o.kind, o.id
)
select 'foreign-data wrapper ' || quote_ident(w.fdwname),
  jsonb_build_object('handler', nullif(w.fdwhandler, 0)::regprocedure::text,
    'validator', nullif(w.fdwvalidator, 0)::regprocedure::text,
    'options', (select options from told where kind = 'wrapper' and id = w.oid))
from pg_foreign_data_wrapper w
where not exists (select from extended e
                  where e.classid = 'pg_foreign_data_wrapper'::regclass and e.objid = w.oid)
union all
select 'server ' || quote_ident(s.srvname),
  jsonb_build_object('wrapper', (select fdwname from pg_foreign_data_wrapper where oid = s.srvfdw),
    'type', s.srvtype, 'version', s.srvversion,
    'options', (select options from told where kind = 'server' and id = s.oid))
from pg_foreign_server s
where not exists (select from extended e
                  where e.classid = 'pg_foreign_server'::regclass and e.objid = s.oid)
union all
select 'foreign table options ' || c.name,
  jsonb_build_object('server', (select srvname from pg_foreign_server where oid = f.ftserver),
    'options', (select options from told where kind = 'table' and id = f.ftrelid))
from pg_foreign_table f
join relation c on c.oid = f.ftrelid
union all
select 'user mapping ' || quote_ident(m.usename) || ' on ' || quote_ident(m.srvname),
  jsonb_build_object('options_hash',
    (select encode(sha256(textsend(string_agg(o, ',' order by o))), 'hex') from unnest(m.umoptions) o))
from pg_user_mappings m
