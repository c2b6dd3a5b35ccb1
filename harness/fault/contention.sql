-- Serialization failures on demand: raised where a row is written, the first so many times.
-- The count is a sequence's, because what a failed transaction wrote in a table would be undone.
create function {ledger_schema}.harness_collide() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if nextval(tg_argv[0]::regclass) <= tg_argv[1]::bigint then
        raise exception 'could not serialize access due to concurrent update'
            using errcode = 'serialization_failure';
    end if;
    return new;
end
$$;
