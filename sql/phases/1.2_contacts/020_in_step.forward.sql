-- kind: transaction
-- summary: from here on a contact's company_id brings its primary organization along
--
-- Written before the backfill, so that no write can fall between the two. The way back (a primary organization brings
-- company_id along) comes with the first writer of the new table, in 040_access.

-- what the backfill makes of a contact; the archive of 040_access calls the same values nothing new
create view migration_control.derived_contact_organizations as
select
    c.id,
    c.id as contact_id,
    c.company_id as organization_id,
    (c.first_seen at time zone 'UTC')::date as relationship_start_date,
    coalesce(c.first_seen, (select o.created_at from public.companies o where o.id = c.company_id)) as created_at
from public.contacts c
where c.company_id is not null;

create function public.primary_organization_follows_contact() returns trigger
    language plpgsql
    security definer
    set search_path to ''
as $$
begin
    update public.contact_organizations
    set deleted_at = now(), updated_at = now()
    where contact_id = new.id
        and is_primary
        and deleted_at is null
        and organization_id is distinct from new.company_id;

    if new.company_id is null then
        return null;
    end if;

    update public.contact_organizations
    set is_primary = true, updated_at = now()
    where contact_id = new.id
        and organization_id = new.company_id
        and deleted_at is null
        and not is_primary;

    insert into public.contact_organizations (contact_id, organization_id, is_primary, relationship_start_date)
    select
        new.id,
        new.company_id,
        true,
        case tg_op when 'INSERT' then (new.first_seen at time zone 'UTC')::date else (now() at time zone 'UTC')::date end
    where not exists (
        select from public.contact_organizations
        where contact_id = new.id and organization_id = new.company_id and deleted_at is null
    );
    return null;
end
$$;
revoke all on function public.primary_organization_follows_contact() from public, anon;

create trigger primary_organization_follows_new_contact
    after insert on public.contacts
    for each row when (new.company_id is not null)
    execute function public.primary_organization_follows_contact();
create trigger primary_organization_follows_contact
    after update on public.contacts
    for each row when (new.company_id is distinct from old.company_id)
    execute function public.primary_organization_follows_contact();

-- The triggers' lock has waited for every writer of contacts, so this maximum is exact: the backfill takes the contact's
-- id for its row, everyone else a number above.
select setval(
    'public.contact_organizations_id_seq',
    greatest((select coalesce(max(id), 0) from public.contacts), 0) + 1,
    false
);
