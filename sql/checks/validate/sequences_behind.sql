-- id: sequences.behind
-- severity: critical
-- message: a sequence is behind its column: the next insert fails
-- hint: rows were put in with their ids; new rows would collide with them
-- clean-up: select setval(pg_get_serial_sequence('public.sales', 'id'), max(id)) from public.sales having max(id) is not null;
-- clean-up: select setval(pg_get_serial_sequence('public.tags', 'id'), max(id)) from public.tags having max(id) is not null;
-- clean-up: select setval(pg_get_serial_sequence('public.companies', 'id'), max(id)) from public.companies having max(id) is not null;
-- clean-up: select setval(pg_get_serial_sequence('public.contacts', 'id'), max(id)) from public.contacts having max(id) is not null;
-- clean-up: select setval(pg_get_serial_sequence('public.deals', 'id'), max(id)) from public.deals having max(id) is not null;
-- clean-up: select setval(pg_get_serial_sequence('public."contactNotes"', 'id'), max(id)) from public."contactNotes" having max(id) is not null;
-- clean-up: select setval(pg_get_serial_sequence('public."dealNotes"', 'id'), max(id)) from public."dealNotes" having max(id) is not null;
-- clean-up: select setval(pg_get_serial_sequence('public.tasks', 'id'), max(id)) from public.tasks having max(id) is not null;

select s.relation as key, 'at ' || coalesce(q.last_value, 0) || ', highest id is ' || s.highest as detail
from (
    select 'public.sales' as relation, (select max(id) from public.sales) as highest
    union all
    select 'public.tags' as relation, (select max(id) from public.tags) as highest
    union all
    select 'public.companies' as relation, (select max(id) from public.companies) as highest
    union all
    select 'public.contacts' as relation, (select max(id) from public.contacts) as highest
    union all
    select 'public.deals' as relation, (select max(id) from public.deals) as highest
    union all
    select 'public."contactNotes"' as relation, (select max(id) from public."contactNotes") as highest
    union all
    select 'public."dealNotes"' as relation, (select max(id) from public."dealNotes") as highest
    union all
    select 'public.tasks' as relation, (select max(id) from public.tasks) as highest
) s
left join pg_sequences q
    on format('%I.%I', q.schemaname, q.sequencename) = pg_get_serial_sequence(s.relation, 'id')
where s.highest > coalesce(q.last_value, 0);
