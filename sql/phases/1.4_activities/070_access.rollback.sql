-- kind: transaction
-- summary: close activities and archive those that tasks cannot hold
--
-- The lock holds back writers of the new tables only.

lock table public.activities, public.interaction_participants in access exclusive mode;

-- A participant says nothing new if it is the contact of its task, as the backfill made it.
select migration_control.archive('public.interaction_participants', $condition$
    id in (
        select p.id
        from public.interaction_participants p
        join public.activities a on a.id = p.activity_id
        left join migration_control.derived_activities d on d.source_task_id = a.source_task_id
        where (
            p.contact_id = d.contact_id
            and p.organization_id is null
            and p.role = 'participant'
            and p.notes is null
            and p.created_at = d.activity_date
        ) is not true
    )
$condition$);

-- An activity says nothing new if it is its task over again, and nothing that is saved points to it. Its organization
-- may be the one that its contact had before the migration: an old client that moved the contact since wrote no activity.
select migration_control.archive('public.activities', $condition$
    id in (
        select a.id
        from public.activities a
        left join migration_control.derived_activities d on d.source_task_id = a.source_task_id
        left join public.contacts c on c.id = a.contact_id
        where (
            a.deleted_at is null
            and a.created_at = d.activity_date
            and a.created_by is not distinct from d.created_by
            and a.activity_type = d.activity_type
            and a.type = d.type
            and a.subject = d.subject
            and a.description is not distinct from d.description
            and a.activity_date = d.activity_date
            and a.duration_minutes is null
            and a.contact_id = d.contact_id
            and (
                a.organization_id is not distinct from d.organization_id
                or a.organization_id is not distinct from c.company_id_backup
            )
            and a.opportunity_id is null
            and not a.follow_up_required
            and a.follow_up_date is null
            and a.follow_up_notes is null
            and a.outcome is null
            and a.sentiment is null
            and a.attachments is null
            and a.attendees is null
            and a.tags is null
            and a.location is null
        ) is not true
    )
    or id in (select o.founding_interaction_id from public.opportunities o)
    or id in (
        select p.activity_id
        from public.interaction_participants p
        join public.activities a on a.id = p.activity_id
        left join migration_control.derived_activities d on d.source_task_id = a.source_task_id
        where (
            p.contact_id = d.contact_id
            and p.organization_id is null
            and p.role = 'participant'
            and p.notes is null
            and p.created_at = d.activity_date
        ) is not true
    )
$condition$);

drop policy "Enable read access for authenticated users" on public.activities;
drop policy "Enable insert for authenticated users only" on public.activities;
drop policy "Enable update for authenticated users only" on public.activities;
drop policy "Enable delete for authenticated users only" on public.activities;
drop policy "Enable read access for authenticated users" on public.interaction_participants;
drop policy "Enable insert for authenticated users only" on public.interaction_participants;
drop policy "Enable update for authenticated users only" on public.interaction_participants;
drop policy "Enable delete for authenticated users only" on public.interaction_participants;

revoke all on table public.activities, public.interaction_participants
    from authenticated, service_role;
revoke all on sequence public.activities_id_seq, public.interaction_participants_id_seq
    from authenticated, service_role;
