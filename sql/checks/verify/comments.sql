-- id: verify.comments
-- severity: warning
-- message: compatibility views that do not say they are deprecated, and until when
-- hint: select migration_control.deprecate(…)
-- until: cleanup

select v.name as key, coalesce(pg_catalog.obj_description(pg_catalog.to_regclass(v.name), 'pg_class'), 'no comment') as detail
from (values ('public.deals'), ('public."dealNotes"'), ('public.deals_summary')) v (name)
where coalesce(pg_catalog.obj_description(pg_catalog.to_regclass(v.name), 'pg_class'), '') !~* 'deprecated.*[0-9]{4}-[0-9]{2}-[0-9]{2}'
