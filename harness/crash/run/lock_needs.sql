-- Notes, at every commit of a checkpoint, which relations the transaction has locked, and how all
-- relations are called after it: what the next transaction finds.
create table {ledger_schema}.harness_held (
  at integer not null,
  step text not null,
  state text not null,
  relation oid not null,
  mode text not null
);
create table {ledger_schema}.harness_named (
  at integer not null,
  relation oid not null,
  name text not null,
  kind "char" not null,
  indexed oid
);

create function {ledger_schema}.harness_note_names(at integer) returns void
language sql set search_path = ''
as $$
  insert into {ledger_schema}.harness_named
  select at, c.oid, n.nspname || '.' || c.relname, c.relkind, i.indrelid
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  left join pg_catalog.pg_index as i on i.indexrelid = c.oid
  where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', {ledger_schema_name})
$$;

create function {ledger_schema}.harness_note() returns trigger
language plpgsql set search_path = ''
as $$
declare
  -- an empty database has no names to note
  number constant integer := (
    select coalesce(max(n.at), 0) + 1 from {ledger_schema}.harness_named as n);
begin
  insert into {ledger_schema}.harness_held
  select number, new.step, new.state, l.relation, l.mode
  from pg_catalog.pg_locks as l
  where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.granted;
  perform {ledger_schema}.harness_note_names(number);
  return null;
end
$$;

select {ledger_schema}.harness_note_names(0);

create constraint trigger harness_note after insert or update on {step}
  deferrable initially deferred for each row execute function {ledger_schema}.harness_note();
