-- Keeps every checkpoint of a batch step and of its ranges, where the ledger keeps the last.
create table {ledger_schema}.harness_history (
  at bigint generated always as identity,
  step text not null,
  before_key bigint,
  last_key bigint
);
create function {ledger_schema}.harness_remember() returns trigger
language plpgsql set search_path = ''
as $$
begin
  insert into {ledger_schema}.harness_history (step, before_key, last_key)
  values (new.step, case when tg_op = 'UPDATE' then old.last_key end, new.last_key);
  return null;
end
$$;
create trigger harness_remember after insert or update on {step}
  for each row execute function {ledger_schema}.harness_remember();
create trigger harness_remember after update on {batch_range}
  for each row execute function {ledger_schema}.harness_remember();
