-- Queries that are timed before and after the migration; the same question has the same name.

-- name: kanban_before
select * from public.deals
where archived_at is null and stage = 'won'
order by "index", id
limit 100
-- name: kanban_after
select * from public.opportunities
where archived_at is null and stage = 'closed_won' and deleted_at is null
order by "index", id
limit 100
-- name: kanban_old_client
select * from public.deals
where archived_at is null and stage = 'won'
order by "index", id
limit 100
-- name: list_before
select * from public.contacts_summary
order by last_seen desc nulls last, id
limit 100
-- name: list_after
select * from public.contacts_summary
order by last_seen desc nulls last, id
limit 100
-- name: list_old_client
select id, first_name, last_name, email_fts, company_name, nb_tasks from public.contacts_summary
order by last_seen desc nulls last, id
limit 100
-- name: junction_before
select c.id, c.last_name, o.name
from public.contacts c
join public.companies o on o.id = c.company_id
where o.sector = (select sector from public.companies where sector is not null order by id limit 1)
-- name: junction_after
select c.id, c.last_name, o.name
from public.contact_organizations j
join public.contacts c on c.id = j.contact_id
join public.companies o on o.id = j.organization_id
where j.deleted_at is null
    and o.sector = (select sector from public.companies where sector is not null order by id limit 1)
-- name: search_before
select id, name from public.deals
where name ilike '%website%' or description ilike '%website%' or category ilike '%website%'
order by id
limit 100
-- name: search_after
select id, name from public.opportunities
where search_tsv @@ websearch_to_tsquery('english', 'website')
order by id
limit 100
