-- kind: transaction
-- summary: until the backfill has ended, a task brings its activity along
--
-- Temporary: 070_access drops the trigger, and tasks is what it was. The function lives beside the ledger, out of sight of
-- the application, since the whole of it is the migration's own.

-- what the backfill makes of a task, and what the archive of 070_access need not save
create view migration_control.derived_activities as
select
    t.id as source_task_id,
    'engagement'::public.activity_type as activity_type,
    case t.type
        when 'Call' then 'call'
        when 'Email' then 'email'
        when 'Meeting' then 'meeting'
        when 'Lunch' then 'meeting'
        when 'Demo' then 'demo'
        when 'Follow-up' then 'follow_up'
        when 'Thank you' then 'follow_up'
        when 'Ship' then 'follow_up'
        else 'check_in'
    end::public.interaction_type as type,
    coalesce(nullif(t.type, 'None'), 'Task') as subject,
    t.text as description,
    t.done_date as activity_date,
    t.contact_id,
    (select c.company_id from public.contacts c where c.id = t.contact_id) as organization_id,
    (select s.id from public.sales s where s.id = t.sales_id) as created_by
from public.tasks t
where t.done_date is not null;

create function migration_control.activity_follows_task() returns trigger
    language plpgsql
    security definer
    set search_path to ''
as $$
declare
    done record;
begin
    -- on insert old is null, and nothing goes; on delete new is, and all goes
    if new.done_date is null or new.id <> old.id then
        delete from public.activities where source_task_id = old.id;
    end if;
    if new.done_date is null then
        return null;
    end if;

    insert into public.activities as a (
        created_at, updated_at, created_by, activity_type, type, subject, description, activity_date,
        contact_id, organization_id, source_task_id
    )
    select
        d.activity_date, d.activity_date, d.created_by, d.activity_type, d.type, d.subject, d.description,
        d.activity_date, d.contact_id, d.organization_id, d.source_task_id
    from migration_control.derived_activities d
    where d.source_task_id = new.id
    on conflict (source_task_id) do update set
        created_at = excluded.created_at,
        updated_at = excluded.updated_at,
        created_by = excluded.created_by,
        type = excluded.type,
        subject = excluded.subject,
        description = excluded.description,
        activity_date = excluded.activity_date,
        contact_id = excluded.contact_id,
        organization_id = excluded.organization_id
    returning a.id, a.contact_id, a.activity_date into strict done;

    update public.interaction_participants
    set contact_id = done.contact_id, created_at = done.activity_date
    where activity_id = done.id;
    if not found then
        insert into public.interaction_participants (created_at, activity_id, contact_id)
        values (done.activity_date, done.id, done.contact_id);
    end if;
    return null;
end
$$;

create trigger activity_follows_task
    after insert or update or delete on public.tasks
    for each row execute function migration_control.activity_follows_task();

-- The trigger's lock has waited for every writer of tasks, so this maximum is exact: the backfill takes the task's id for
-- its rows, everyone else a number above.
select setval(
    'public.activities_id_seq', greatest((select coalesce(max(id), 0) from public.tasks), 0) + 1, false
);
select setval(
    'public.interaction_participants_id_seq', greatest((select coalesce(max(id), 0) from public.tasks), 0) + 1, false
);
