-- kind: batch
-- table: public.tasks
-- key: id
-- batch_workers: 8
-- summary: one engagement, with its contact as participant, for every task that is done
--
-- Locks come in the order in which deleting a company takes them. A task under this lock cannot change between the look
-- at it and its activity.

select count(*)
from (
    select from public.companies o
    where o.id in (
        select c.company_id
        from public.tasks t
        join public.contacts c on c.id = t.contact_id
        where t.id > %(after)s and t.id <= %(upto)s and t.done_date is not null
    )
    order by o.id
    for key share
) as held;

select count(*)
from (
    select from public.contacts c
    where c.id in (
        select t.contact_id from public.tasks t
        where t.id > %(after)s and t.id <= %(upto)s and t.done_date is not null
    )
    order by c.id
    for key share
) as held;

select count(*)
from (
    select from public.tasks t
    where t.id > %(after)s and t.id <= %(upto)s and t.done_date is not null
    order by t.id
    for no key update
) as held;

with made as (
    insert into public.activities (
        id, created_at, updated_at, created_by, activity_type, type, subject, description, activity_date,
        contact_id, organization_id, source_task_id
    )
    select
        d.source_task_id, d.activity_date, d.activity_date, d.created_by, d.activity_type, d.type, d.subject,
        d.description, d.activity_date, d.contact_id, d.organization_id, d.source_task_id
    from migration_control.derived_activities d
    where d.source_task_id > %(after)s and d.source_task_id <= %(upto)s
    order by d.source_task_id
    on conflict (source_task_id) do nothing
    returning id, activity_date, contact_id
)
insert into public.interaction_participants (id, created_at, activity_id, contact_id)
select made.id, made.activity_date, made.id, made.contact_id
from made
order by made.id;
