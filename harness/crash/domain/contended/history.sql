-- Keeps every checkpoint of a batch step, where the ledger keeps the last.
create table {ledger_schema}.harness_history (
  at bigint generated always as identity,
  step text not null,
  last_key bigint
);
create function {ledger_schema}.harness_remember() returns trigger
language plpgsql set search_path = ''
as $$
begin
  insert into {ledger_schema}.harness_history (step, last_key) values (new.step, new.last_key);
  return null;
end
$$;
create trigger harness_remember after insert or update on {step}
  for each row execute function {ledger_schema}.harness_remember();
