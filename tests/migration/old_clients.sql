-- What old clients write between two batches: their %(n)s-th turn, done to both databases alike.

-- name: create_deal
insert into public.deals
  (id, name, stage, company_id, contact_ids, created_at, updated_at, expected_closing_date)
values (
  910000 + %(n)s, 'Turn ' || %(n)s,
  (array['opportunity', 'proposal-sent', 'in-negociation', 'won', 'lost', 'delayed', ' Later'])[1 + %(n)s %% 7],
  (select id from public.companies order by id offset %(n)s %% 5 limit 1), '{}',
  '2031-01-01Z', '2031-01-02 23:59Z', '2031-06-06 23:00Z')

-- name: move_deal
update public.deals
set updated_at = '2031-02-02Z', stage =
  (array['won', 'odd', 'delayed', 'lost', 'in-negociation', 'opportunity', 'closed_won'])[1 + %(n)s %% 7]
where id = (select id from public.deals order by id offset %(n)s limit 1)

-- name: sell_deal_to_another
update public.deals
set company_id = (select id from public.companies order by id desc offset %(n)s %% 7 limit 1)
where id = (select id from public.deals order by id offset %(n)s + 3 limit 1)

-- name: postpone_deal
update public.deals
set expected_closing_date = '2032-03-04 23:30+00', company_id = null, name = 'Postponed'
where id = (select id from public.deals order by id offset %(n)s + 5 limit 1)

-- name: delete_deal
delete from public.deals
where %(n)s %% 3 = 0 and id = (select id from public.deals order by id offset %(n)s + 7 limit 1)

-- name: note_on_deal
insert into public."dealNotes" (id, deal_id, text, date)
select 910000 + %(n)s, max(id), 'Turn ' || %(n)s, '2031-01-01Z' from public.deals

-- name: create_company
insert into public.companies (id, name, city, created_at)
values (910000 + %(n)s, 'Company of turn ' || %(n)s, 'Zürich', '2031-01-01Z')

-- name: rename_company
update public.companies set name = 'Renamed in turn ' || %(n)s
where id = (select id from public.companies order by id offset %(n)s %% 40 limit 1)

-- name: create_contact
insert into public.contacts (id, first_name, email_jsonb, company_id, first_seen)
values (910000 + %(n)s, 'Turna', '[{"email": "turna@example.com", "type": "Work"}]',
  case when %(n)s %% 2 = 0 then 910000 + %(n)s end, '2031-01-01 23:00Z')

-- name: move_contact
update public.contacts
set company_id = case when %(n)s %% 4 > 0 then 910000 + %(n)s end
where id = (
  select c.id from public.contacts c
  where not exists (select from public.tasks t where t.contact_id = c.id)
  order by c.id offset %(n)s limit 1)

-- name: complete_task
update public.tasks set done_date = '2031-03-03 23:00Z'
where id = (select min(id) from public.tasks where done_date is null)

-- name: correct_task
update public.tasks set text = 'Corrected in turn ' || %(n)s, type = 'Call'
where id = (select id from public.tasks where done_date is not null order by id offset 1 limit 1)

-- name: reopen_task
update public.tasks set done_date = null
where %(n)s %% 5 = 0
  and id = (select max(id) from public.tasks where done_date is not null)

-- name: create_task
insert into public.tasks (id, contact_id, type, text, due_date, done_date)
values (910000 + %(n)s, (select contact_id from public.tasks order by id limit 1),
  'Ship', 'Turn ' || %(n)s, '2031-01-01Z', case when %(n)s %% 2 = 0 then '2031-01-01Z'::timestamptz end)
