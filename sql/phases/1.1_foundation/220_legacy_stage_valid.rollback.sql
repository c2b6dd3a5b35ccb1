-- kind: transaction
-- summary: on the way back, prove that every opportunity has its old stage text; users go on reading and writing

do $$
begin
    if exists (
        select from pg_catalog.pg_constraint
        where conrelid = 'public.opportunities'::regclass and conname = 'opportunities_stage_backup_check'
    ) then
        alter table public.opportunities validate constraint opportunities_stage_backup_check;
    end if;
end
$$;
