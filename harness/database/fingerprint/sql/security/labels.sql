-- only if: exists (select from pg_seclabel)
-- Security labels, by provider.
select 'security label of ' || l.provider || ' on ' || i.type || ' ' || i.identity,
  jsonb_build_object('label', l.label)
from pg_seclabel l
cross join lateral pg_identify_object(l.classoid, l.objoid, l.objsubid) i
where coalesce(i.schema, case when l.classoid = 'pg_namespace'::regclass then i.identity end, 'pg_catalog')
  in (select name from namespace)
  and not (l.classoid = 'pg_class'::regclass and l.objoid in (select oid from left_out))
