-- Owners of what has no privileges of its own.
select 'publication ' || quote_ident(pubname), jsonb_build_object('owner', pg_get_userbyid(pubowner))
from pg_publication
union all
select 'event trigger ' || quote_ident(evtname), jsonb_build_object('owner', pg_get_userbyid(evtowner))
from pg_event_trigger
union all
select 'extension ' || quote_ident(extname), jsonb_build_object('owner', pg_get_userbyid(extowner))
from pg_extension
union all
select 'statistics ' || n.name || '.' || quote_ident(s.stxname),
  jsonb_build_object('owner', pg_get_userbyid(s.stxowner))
from pg_statistic_ext s join namespace n on n.oid = s.stxnamespace
union all
select 'operator ' || o.oid::regoperator::text, jsonb_build_object('owner', pg_get_userbyid(o.oprowner))
from pg_operator o join namespace n on n.oid = o.oprnamespace
where not exists (select from extended e
                  where e.classid = 'pg_operator'::regclass and e.objid = o.oid)
union all
select 'collation ' || n.name || '.' || quote_ident(c.collname),
  jsonb_build_object('owner', pg_get_userbyid(c.collowner))
from pg_collation c join namespace n on n.oid = c.collnamespace
where not exists (select from extended e
                  where e.classid = 'pg_collation'::regclass and e.objid = c.oid)
