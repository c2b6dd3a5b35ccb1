-- More rows for the judge of mutants: every word that the migration maps, and enough rows for a write of each column.
insert into public.deals (name, stage, company_id, contact_ids, description, amount, created_at, updated_at,
    expected_closing_date, sales_id, index)
select 'Plenty ' || n, words[1 + n % cardinality(words)], case when n % 7 < 6 then (select min(id) + n from public.companies) end, '{}', 'of plenty', n,
    '2029-01-01Z', timestamptz '2029-02-01 23:30Z' + n * interval '1 hour',
    case when n % 3 > 0 then timestamptz '2029-03-01 22:30Z' + n * interval '1 hour' end, null, n
from generate_series(0, 29) n, (select array['opportunity', 'proposal-sent', 'in-negociation', 'won', 'lost', 'delayed',
    'qualified', 'needs_analysis', 'proposal', 'negotiation', 'closed_won', 'closed_lost', 'nurturing', 'Won', ' Later']) _ (words);

insert into public.tasks (contact_id, type, text, due_date, done_date, sales_id)
select c.id, types[1 + n % cardinality(types)], 'Plenty ' || n, '2029-01-01Z', timestamptz '2029-02-01 23:30Z' + n * interval '1 hour',
    case when n % 4 > 0 then (select min(id) from public.sales) end
from (select id, row_number() over (order by id) as n from public.contacts) c,
    (select array['Call', 'Email', 'Meeting', 'Lunch', 'Demo', 'Follow-up', 'Thank you', 'Ship', 'None', 'Odd']) _ (types)
where n <= 40;
