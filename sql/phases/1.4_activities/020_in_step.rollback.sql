-- kind: transaction
-- summary: a task stands alone again

-- the trigger is there only if the migration stopped before 070_access
drop trigger if exists activity_follows_task on public.tasks;
drop function if exists migration_control.activity_follows_task();
drop view migration_control.derived_activities;
