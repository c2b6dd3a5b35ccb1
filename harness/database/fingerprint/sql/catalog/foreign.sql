-- only if: exists (select from pg_foreign_data_wrapper where oid >= 16384)
-- Foreign data. A user mapping's options hold passwords, so only their hash is told.
select 'foreign-data wrapper ' || quote_ident(w.fdwname),
  jsonb_build_object('handler', nullif(w.fdwhandler, 0)::regprocedure::text,
    'validator', nullif(w.fdwvalidator, 0)::regprocedure::text,
    'options', (select jsonb_agg(o order by o) from unnest(w.fdwoptions) o))
from pg_foreign_data_wrapper w
where not exists (select from extended e
                  where e.classid = 'pg_foreign_data_wrapper'::regclass and e.objid = w.oid)
union all
select 'server ' || quote_ident(s.srvname),
  jsonb_build_object('wrapper', (select fdwname from pg_foreign_data_wrapper where oid = s.srvfdw),
    'type', s.srvtype, 'version', s.srvversion,
    'options', (select jsonb_agg(o order by o) from unnest(s.srvoptions) o))
from pg_foreign_server s
where not exists (select from extended e
                  where e.classid = 'pg_foreign_server'::regclass and e.objid = s.oid)
union all
select 'foreign table options ' || c.name,
  jsonb_build_object('server', (select srvname from pg_foreign_server where oid = f.ftserver),
    'options', (select jsonb_agg(o order by o) from unnest(f.ftoptions) o))
from pg_foreign_table f
join relation c on c.oid = f.ftrelid
union all
select 'user mapping ' || quote_ident(m.usename) || ' on ' || quote_ident(m.srvname),
  jsonb_build_object('options_hash', encode(sha256(convert_to(m.umoptions::text, 'UTF8')), 'hex'))
from pg_user_mappings m
