-- kind: transaction
-- summary: close the junction tables and archive what contacts.company_id cannot hold
--
-- The lock holds back writers of the new tables only: whoever writes contacts waits no longer than for one statement,
-- and what the triggers on contacts write after this is held by contacts itself.

lock table public.contact_organizations, public.contact_preferred_principals in access exclusive mode;

-- A row says nothing new if it is its contact's live primary organization, as the backfill or the trigger on contacts
-- made it. Everything else does: second organizations, deleted rows, changed values.
select migration_control.archive('public.contact_organizations', $condition$
    id in (
        select j.id
        from public.contact_organizations j
        join public.contacts c on c.id = j.contact_id
        where (
            j.deleted_at is null
            and j.is_primary
            and j.organization_id = c.company_id
            and not j.is_primary_contact
            and not j.is_primary_decision_maker
            and j.role is null
            and j.purchase_influence = 'Unknown'
            and j.decision_authority = 'End User'
            and (
                j.relationship_start_date is not distinct from (c.first_seen at time zone 'UTC')::date
                or (j.id <> j.contact_id and j.relationship_start_date = (j.created_at at time zone 'UTC')::date)
            )
            and j.relationship_end_date is null
            and j.notes is null
            and j.created_by is null
        ) is not true
    )
$condition$);
select migration_control.archive('public.contact_preferred_principals', 'true');

drop policy "Enable read access for authenticated users" on public.contact_organizations;
drop policy "Enable insert for authenticated users only" on public.contact_organizations;
drop policy "Enable update for authenticated users only" on public.contact_organizations;
drop policy "Enable delete for authenticated users only" on public.contact_organizations;
drop policy "Enable read access for authenticated users" on public.contact_preferred_principals;
drop policy "Enable insert for authenticated users only" on public.contact_preferred_principals;
drop policy "Enable update for authenticated users only" on public.contact_preferred_principals;
drop policy "Enable delete for authenticated users only" on public.contact_preferred_principals;

revoke all on table public.contact_organizations, public.contact_preferred_principals
    from authenticated, service_role;
revoke all on sequence public.contact_organizations_id_seq, public.contact_preferred_principals_id_seq
    from authenticated, service_role;

drop trigger contact_follows_primary_organization on public.contact_organizations;
drop function public.contact_follows_primary_organization();
