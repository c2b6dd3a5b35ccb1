-- only if: exists (select from pg_seclabel)
-- Security labels, by provider.
select 'security label of ' || l.provider || ' on ' || i.type || ' ' || i.identity,
  jsonb_build_object('label', l.label)
from pg_seclabel l
cross join lateral pg_identify_object(l.classoid, l.objoid, l.objsubid) i
where i.schema is null or i.schema in (select name from namespace)
