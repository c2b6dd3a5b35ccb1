-- kind: transaction
-- summary: open participants and products to signed-in users, and keep the customer in step with what they write

create function public.opportunity_follows_primary_customer() returns trigger
    language plpgsql
    security definer
    set search_path to ''
as $$
begin
    -- old is null on insert, new on delete, and so is what is asked of them; when a company is deleted, this is called
    -- after all its cascades, and its opportunities are gone

    -- lost: the opportunity falls back to what is its primary customer now, but only if it still points to the old one
    if old.role = 'customer' and old.is_primary and old.deleted_at is null then
        update public.opportunities o
        set customer_organization_id = p.organization_id
        from (values (old.opportunity_id)) as k (opportunity_id)
        left join public.opportunity_participants p
            on p.opportunity_id = k.opportunity_id and p.role = 'customer' and p.is_primary and p.deleted_at is null
        where o.id = k.opportunity_id
            and o.customer_organization_id = old.organization_id
            and o.customer_organization_id is distinct from p.organization_id;
    end if;

    -- gained
    if new.role = 'customer' and new.is_primary and new.deleted_at is null then
        update public.opportunities
        set customer_organization_id = new.organization_id
        where id = new.opportunity_id and customer_organization_id is distinct from new.organization_id;
    end if;
    return null;
end
$$;
revoke all on function public.opportunity_follows_primary_customer() from public, anon;

create trigger opportunity_follows_primary_customer
    after insert or update of opportunity_id, organization_id, role, is_primary, deleted_at or delete
    on public.opportunity_participants
    for each row execute function public.opportunity_follows_primary_customer();

grant all on table public.opportunity_participants, public.opportunity_products
    to authenticated, service_role;
grant all on sequence public.opportunity_participants_id_seq, public.opportunity_products_id_seq
    to authenticated, service_role;

create policy "Enable read access for authenticated users" on public.opportunity_participants
    for select to authenticated using (
        deleted_at is null or (deleted_at > statement_timestamp() and public.deleted_by_now(deleted_at))
    );
create policy "Enable insert for authenticated users only" on public.opportunity_participants
    for insert to authenticated with check (deleted_at is null);
create policy "Enable update for authenticated users only" on public.opportunity_participants
    for update to authenticated using (deleted_at is null) with check (true);
create policy "Enable delete for authenticated users only" on public.opportunity_participants
    for delete to authenticated using (deleted_at is null);

create policy "Enable read access for authenticated users" on public.opportunity_products
    for select to authenticated using (true);
create policy "Enable insert for authenticated users only" on public.opportunity_products
    for insert to authenticated with check (true);
create policy "Enable update for authenticated users only" on public.opportunity_products
    for update to authenticated using (true) with check (true);
create policy "Enable delete for authenticated users only" on public.opportunity_products
    for delete to authenticated using (true);
