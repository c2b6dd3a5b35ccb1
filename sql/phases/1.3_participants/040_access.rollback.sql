-- kind: transaction
-- summary: close participants and products and archive what opportunities.company_id cannot hold
--
-- The lock holds back writers of the new tables only: whoever writes opportunities waits no longer than for one
-- statement, and what the triggers on opportunities write after this is held by opportunities itself.

lock table public.opportunity_participants, public.opportunity_products in access exclusive mode;

-- a row says nothing new if it is its opportunity's live primary customer, without more
select migration_control.archive('public.opportunity_participants', $condition$
    id in (
        select p.id
        from public.opportunity_participants p
        join public.opportunities o on o.id = p.opportunity_id
        where (
            p.deleted_at is null
            and p.role = 'customer'
            and p.is_primary
            and p.organization_id = o.customer_organization_id
            and p.notes is null
            and p.created_by is null
        ) is not true
    )
$condition$);
select migration_control.archive('public.opportunity_products', 'true');

drop policy "Enable read access for authenticated users" on public.opportunity_participants;
drop policy "Enable insert for authenticated users only" on public.opportunity_participants;
drop policy "Enable update for authenticated users only" on public.opportunity_participants;
drop policy "Enable delete for authenticated users only" on public.opportunity_participants;
drop policy "Enable read access for authenticated users" on public.opportunity_products;
drop policy "Enable insert for authenticated users only" on public.opportunity_products;
drop policy "Enable update for authenticated users only" on public.opportunity_products;
drop policy "Enable delete for authenticated users only" on public.opportunity_products;

revoke all on table public.opportunity_participants, public.opportunity_products
    from authenticated, service_role;
revoke all on sequence public.opportunity_participants_id_seq, public.opportunity_products_id_seq
    from authenticated, service_role;

drop trigger opportunity_follows_primary_customer on public.opportunity_participants;
drop function public.opportunity_follows_primary_customer();
