-- Owners of what has no privileges of its own.
select 'publication ' || quote_ident(pubname), jsonb_build_object('owner', pg_get_userbyid(pubowner))
from pg_publication
union all
select 'subscription ' || quote_ident(subname), jsonb_build_object('owner', pg_get_userbyid(subowner))
from pg_subscription where subdbid = (select oid from pg_database where datname = current_database())
union all
select 'event trigger ' || quote_ident(evtname), jsonb_build_object('owner', pg_get_userbyid(evtowner))
from pg_event_trigger
union all
select 'extension ' || quote_ident(extname), jsonb_build_object('owner', pg_get_userbyid(extowner))
from pg_extension
union all
select 'statistics ' || n.name || '.' || quote_ident(s.stxname),
  jsonb_build_object('owner', pg_get_userbyid(s.stxowner))
from pg_statistic_ext s
join namespace n on n.oid = s.stxnamespace and s.stxrelid not in (select oid from left_out)
union all
select 'operator ' || o.oid::regoperator::text, jsonb_build_object('owner', pg_get_userbyid(o.oprowner))
from pg_operator o join namespace n on n.oid = o.oprnamespace and o.oid >= n.first_oid
where not exists (select from extended e
                  where e.classid = 'pg_operator'::regclass and e.objid = o.oid)
union all
select 'operator class ' || n.name || '.' || quote_ident(o.opcname) || ' using ' || m.amname,
  jsonb_build_object('owner', pg_get_userbyid(o.opcowner))
from pg_opclass o join namespace n on n.oid = o.opcnamespace and o.oid >= n.first_oid
join pg_am m on m.oid = o.opcmethod
where not exists (select from extended e
                  where e.classid = 'pg_opclass'::regclass and e.objid = o.oid)
union all
select 'operator family ' || n.name || '.' || quote_ident(f.opfname) || ' using ' || m.amname,
  jsonb_build_object('owner', pg_get_userbyid(f.opfowner))
from pg_opfamily f join namespace n on n.oid = f.opfnamespace and f.oid >= n.first_oid
join pg_am m on m.oid = f.opfmethod
where not exists (select from extended e
                  where e.classid = 'pg_opfamily'::regclass and e.objid = f.oid)
union all
select 'collation ' || n.name || '.' || quote_ident(c.collname),
  jsonb_build_object('owner', pg_get_userbyid(c.collowner))
from pg_collation c join namespace n on n.oid = c.collnamespace and n.first_oid = 0
where not exists (select from extended e
                  where e.classid = 'pg_collation'::regclass and e.objid = c.oid)
union all
select 'conversion ' || n.name || '.' || quote_ident(v.conname),
  jsonb_build_object('owner', pg_get_userbyid(v.conowner))
from pg_conversion v join namespace n on n.oid = v.connamespace and v.oid >= n.first_oid
where not exists (select from extended e
                  where e.classid = 'pg_conversion'::regclass and e.objid = v.oid)
union all
select 'text search configuration ' || n.name || '.' || quote_ident(c.cfgname),
  jsonb_build_object('owner', pg_get_userbyid(c.cfgowner))
from pg_ts_config c join namespace n on n.oid = c.cfgnamespace and c.oid >= n.first_oid
where not exists (select from extended e
                  where e.classid = 'pg_ts_config'::regclass and e.objid = c.oid)
union all
select 'text search dictionary ' || n.name || '.' || quote_ident(d.dictname),
  jsonb_build_object('owner', pg_get_userbyid(d.dictowner))
from pg_ts_dict d join namespace n on n.oid = d.dictnamespace and d.oid >= n.first_oid
where not exists (select from extended e
                  where e.classid = 'pg_ts_dict'::regclass and e.objid = d.oid)
