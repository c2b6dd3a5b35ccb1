-- kind: transaction
-- summary: from here on an opportunity's customer brings its primary customer participant along
--
-- Written before the backfill, so that no write can fall between the two. company_id and customer_organization_id follow
-- each other since phase 1.1, so the one column stands for both. The way back comes in 040_access.

-- what the backfill makes of an opportunity; the archive of 040_access calls the same values nothing new
create view migration_control.derived_opportunity_participants as
select
    o.id,
    o.id as opportunity_id,
    o.customer_organization_id as organization_id,
    o.created_at
from public.opportunities o
where o.customer_organization_id is not null;

create function public.primary_customer_follows_opportunity() returns trigger
    language plpgsql
    security definer
    set search_path to ''
as $$
begin
    update public.opportunity_participants
    set deleted_at = now(), updated_at = now()
    where opportunity_id = new.id
        and role = 'customer'
        and is_primary
        and deleted_at is null
        and organization_id is distinct from new.customer_organization_id;

    if new.customer_organization_id is null then
        return null;
    end if;

    update public.opportunity_participants
    set is_primary = true, updated_at = now()
    where opportunity_id = new.id
        and organization_id = new.customer_organization_id
        and role = 'customer'
        and deleted_at is null
        and not is_primary;

    insert into public.opportunity_participants (opportunity_id, organization_id, role, is_primary)
    select new.id, new.customer_organization_id, 'customer', true
    where not exists (
        select from public.opportunity_participants
        where opportunity_id = new.id
            and organization_id = new.customer_organization_id
            and role = 'customer'
            and deleted_at is null
    );
    return null;
end
$$;
revoke all on function public.primary_customer_follows_opportunity() from public, anon;

create trigger primary_customer_follows_new_opportunity
    after insert on public.opportunities
    for each row when (new.customer_organization_id is not null)
    execute function public.primary_customer_follows_opportunity();
create trigger primary_customer_follows_opportunity
    after update on public.opportunities
    for each row when (new.customer_organization_id is distinct from old.customer_organization_id)
    execute function public.primary_customer_follows_opportunity();

-- The triggers' lock has waited for every writer of opportunities, so this maximum is exact: the backfill takes the
-- opportunity's id for its row, everyone else a number above.
select setval(
    'public.opportunity_participants_id_seq',
    greatest((select coalesce(max(id), 0) from public.opportunities), 0) + 1,
    false
);
