-- kind: transaction
-- summary: open activities to signed-in users; tasks lets go of them and is what it was

drop trigger activity_follows_task on public.tasks;
drop function migration_control.activity_follows_task();

grant all on table public.activities, public.interaction_participants
    to authenticated, service_role;
grant all on sequence public.activities_id_seq, public.interaction_participants_id_seq
    to authenticated, service_role;

create policy "Enable read access for authenticated users" on public.activities
    for select to authenticated using (
        deleted_at is null or (deleted_at > statement_timestamp() and public.deleted_by_now(deleted_at))
    );
create policy "Enable insert for authenticated users only" on public.activities
    for insert to authenticated with check (deleted_at is null);
create policy "Enable update for authenticated users only" on public.activities
    for update to authenticated using (deleted_at is null) with check (true);
create policy "Enable delete for authenticated users only" on public.activities
    for delete to authenticated using (deleted_at is null);

create policy "Enable read access for authenticated users" on public.interaction_participants
    for select to authenticated using (true);
create policy "Enable insert for authenticated users only" on public.interaction_participants
    for insert to authenticated with check (true);
create policy "Enable update for authenticated users only" on public.interaction_participants
    for update to authenticated using (true) with check (true);
create policy "Enable delete for authenticated users only" on public.interaction_participants
    for delete to authenticated using (true);
