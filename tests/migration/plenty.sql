-- More rows for the judge of mutants: every word that the migration maps, and enough rows for a write of each column.
insert into public.deals (name, stage, company_id, contact_ids, description, amount, created_at, updated_at,
    expected_closing_date, sales_id, index)
select 'Plenty ' || n, words[1 + n % cardinality(words)], case when n % 7 < 6 then (select min(id) + n from public.companies) end, '{}', 'of plenty', n,
    '2029-01-01Z', timestamptz '2029-02-01 23:30Z' + n * interval '1 hour',
    case when n % 3 > 0 then timestamptz '2029-03-01 22:30Z' + n * interval '1 hour' end, null, n
from generate_series(0, 43) n, (select array['opportunity', 'proposal-sent', 'in-negociation', 'won', 'lost', 'delayed',
    'qualified', 'needs_analysis', 'proposal', 'negotiation', 'closed_won', 'closed_lost', 'nurturing', 'Won', ' Later',
    ' won', 'lost ', E'delayed\t', 'WON', U&'won\200B', U&'w\00F6n', U&'wo\0308n']) _ (words);

insert into public.tasks (contact_id, type, text, due_date, done_date, sales_id)
select c.id, types[1 + n % cardinality(types)], 'Plenty ' || n, '2029-01-01Z', timestamptz '2029-02-01 23:30Z' + n * interval '1 hour',
    case when n % 4 > 0 then (select min(id) from public.sales) end
from (select id, row_number() over (order by id) as n from public.contacts) c,
    (select array['Call', 'Email', 'Meeting', 'Lunch', 'Demo', 'Follow-up', 'Thank you', 'Ship', 'None', 'Odd']) _ (types)
where n <= 40;

-- Texts that are one to a reader and two to a map or a search: padded, decomposed, in other letters, very long.
with odd (form, text) as (
    values (1, '  Padded  '), (2, U&'Rene\0301e decomposed'), (3, U&'Ren\00E9e composed'), (4, E'tab\tand\nline '),
        (5, U&'\05D0\05D1 \200F right to left'), (6, U&'\+01F4A1 beyond the plane'), (7, 'ﬁne ligature ＦＵＬＬ'), (8, 'İstanbul STRASSE straße')
)
insert into public.contacts (first_name, last_name, gender, title, background, first_seen, last_seen, status, company_id, email_jsonb, phone_jsonb)
select text, text, 'x', text, text, timestamptz '2029-03-25 02:30+01' + form * interval '1 second', timestamptz '2029-10-28 02:59:59.999999+02', text,
    (select min(id) from public.companies), '[]', '[]'
from odd;

insert into public.deals (name, stage, company_id, contact_ids, category, description, amount, created_at, updated_at, expected_closing_date, index)
select 'Long ' || place, 'won', (select min(id) from public.companies), '{}', U&' Cate\0301gorie ',
    repeat('word ', place / 5) || 'zyzzyva' || place, 0, timestamptz '1999-12-31 23:59:59.999999-12', timestamptz '2029-12-31 23:59:59+00' - place * interval '1 microsecond',
    timestamptz '2029-06-30 23:30:00-11', 0
from (values (2000), (11000), (13000), (60000), (110000)) _ (place);

-- More words than a search text may have: Postgres refuses one of over a million bytes.
update public.deals set description = words from (select string_agg('w' || n, ' ') from generate_series(1, 200000) n) _ (words)
where name = 'Long 11000';
update public.contacts set background = words from (select string_agg('w' || n, ' ') from generate_series(1, 200000) n) _ (words)
where last_name = '  Padded  ';
update public.companies set description = words from (select string_agg('w' || n, ' ') from generate_series(1, 200000) n) _ (words)
where id = (select max(id) from public.companies);
-- blanks and letters within a document
update public.contacts set phone_jsonb = '[{"type": "Work", "number": "0049  89\t(0) 17", "MORE": null}]', email_jsonb = '[{"email": " A.B@Example.ORG "}]'
where last_name = E'tab\tand\nline ';
