-- Triggers that a person made; a foreign key's own are told with its constraint, and maintenance mode's come
-- and go.
select 'trigger ' || quote_ident(t.tgname) || ' on ' || c.name,
  jsonb_build_object(
    'definition', pg_get_triggerdef(t.oid),
    'enabled', t.tgenabled,
    'cloned', t.tgparentid <> 0,
    'depends_on_extension', x.extensions
  )
from relation c
join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
  and t.tgfoid is distinct from to_regprocedure('migration_maintenance.refuse()')
left join dependent x on x.classid = 'pg_trigger'::regclass and x.objid = t.oid
