-- Keeps every checkpoint of a batch step, where the ledger keeps the last.
create table migration_control.harness_history (
  at bigint generated always as identity,
  step text not null,
  last_key bigint
);
create function migration_control.harness_remember() returns trigger
language plpgsql set search_path = ''
as $$
begin
  insert into migration_control.harness_history (step, last_key) values (new.step, new.last_key);
  return null;
end
$$;
create trigger harness_remember after insert or update on migration_control.step
  for each row execute function migration_control.harness_remember();
