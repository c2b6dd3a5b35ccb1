-- kind: transaction
-- summary: on the way back, keep the old stage text of everything that is written
--
-- stage_backup becomes deals.stage again when the swap is undone: from here on it holds what the deal's stage will be.
-- The strongest lock first: a user who came between a weaker one and this one would be in a deadlock with it.

alter table public.opportunities
    add constraint opportunities_stage_backup_check check (stage_backup is not null) not valid;

create function public.opportunities_legacy_stage() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    new.stage_backup := public.deal_stage_of(new.stage, new.stage_backup);
    return new;
end
$$;

revoke all on function public.opportunities_legacy_stage() from public, anon;

create trigger opportunities_legacy_stage
    before insert or update on public.opportunities
    for each row execute function public.opportunities_legacy_stage();
