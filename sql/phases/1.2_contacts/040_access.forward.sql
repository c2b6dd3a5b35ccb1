-- kind: transaction
-- summary: open the junction tables to signed-in users, and keep company_id in step with what they write

create function public.contact_follows_primary_organization() returns trigger
    language plpgsql
    security definer
    set search_path to ''
as $$
begin
    -- old is null on insert, new on delete, and so is what is asked of them; when a company is deleted, this is called
    -- after all its cascades, and its contacts are gone

    -- lost: the contact falls back to what is its primary organization now, but only if it still points to the old one
    if old.is_primary and old.deleted_at is null then
        update public.contacts c
        set company_id = p.organization_id
        from (values (old.contact_id)) as k (contact_id)
        left join public.contact_organizations p
            on p.contact_id = k.contact_id and p.is_primary and p.deleted_at is null
        where c.id = k.contact_id
            and c.company_id = old.organization_id
            and c.company_id is distinct from p.organization_id;
    end if;

    -- gained
    if new.is_primary and new.deleted_at is null then
        update public.contacts
        set company_id = new.organization_id
        where id = new.contact_id and company_id is distinct from new.organization_id;
    end if;
    return null;
end
$$;
revoke all on function public.contact_follows_primary_organization() from public, anon;

create trigger contact_follows_primary_organization
    after insert or update of contact_id, organization_id, is_primary, deleted_at or delete
    on public.contact_organizations
    for each row execute function public.contact_follows_primary_organization();

grant all on table public.contact_organizations, public.contact_preferred_principals
    to authenticated, service_role;
grant all on sequence public.contact_organizations_id_seq, public.contact_preferred_principals_id_seq
    to authenticated, service_role;

create policy "Enable read access for authenticated users" on public.contact_organizations
    for select to authenticated using (
        deleted_at is null or (deleted_at > statement_timestamp() and public.deleted_by_now(deleted_at))
    );
create policy "Enable insert for authenticated users only" on public.contact_organizations
    for insert to authenticated with check (deleted_at is null);
create policy "Enable update for authenticated users only" on public.contact_organizations
    for update to authenticated using (deleted_at is null) with check (true);
create policy "Enable delete for authenticated users only" on public.contact_organizations
    for delete to authenticated using (deleted_at is null);

create policy "Enable read access for authenticated users" on public.contact_preferred_principals
    for select to authenticated using (
        deleted_at is null or (deleted_at > statement_timestamp() and public.deleted_by_now(deleted_at))
    );
create policy "Enable insert for authenticated users only" on public.contact_preferred_principals
    for insert to authenticated with check (deleted_at is null);
create policy "Enable update for authenticated users only" on public.contact_preferred_principals
    for update to authenticated using (deleted_at is null) with check (true);
create policy "Enable delete for authenticated users only" on public.contact_preferred_principals
    for delete to authenticated using (deleted_at is null);
