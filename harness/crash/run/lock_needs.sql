-- Notes, at every commit of a checkpoint, which relations the transaction has locked, and how all
-- relations are called after it: what the next transaction finds.
create table migration_control.harness_held (
  at integer not null,
  step text not null,
  state text not null,
  relation oid not null,
  mode text not null
);
create table migration_control.harness_named (
  at integer not null,
  relation oid not null,
  name text not null,
  kind "char" not null,
  indexed oid
);

create function migration_control.harness_note_names(at integer) returns void
language sql set search_path = ''
as $$
  insert into migration_control.harness_named
  select at, c.oid, n.nspname || '.' || c.relname, c.relkind, i.indrelid
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  left join pg_catalog.pg_index as i on i.indexrelid = c.oid
  where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_control')
$$;

create function migration_control.harness_note() returns trigger
language plpgsql set search_path = ''
as $$
declare
  -- an empty database has no names to note
  number constant integer := (
    select coalesce(max(n.at), 0) + 1 from migration_control.harness_named as n);
begin
  insert into migration_control.harness_held
  select number, new.step, new.state, l.relation, l.mode
  from pg_catalog.pg_locks as l
  where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.granted;
  perform migration_control.harness_note_names(number);
  return null;
end
$$;

select migration_control.harness_note_names(0);

create constraint trigger harness_note after insert or update on migration_control.step
  deferrable initially deferred for each row execute function migration_control.harness_note();
