-- id: verify.opportunities_backup
-- severity: critical
-- relation: public.opportunities
-- message: opportunities without the stage that they had
-- hint: restore stage_backup from the backup: the way back starts from it
-- until: cleanup

select o.id as key, o.stage::text as detail
from public.opportunities o
join migration_control.run r on r.direction = 'forward'
where o.stage_backup is null and o.created_at < r.started_at
