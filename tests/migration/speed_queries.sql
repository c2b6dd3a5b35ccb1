-- The application's heaviest questions, as old and as new clients ask them.

-- name: kanban-before
select * from public.deals where archived_at is null order by stage, "index", id limit 100

-- name: kanban-old-client
select * from public.deals where archived_at is null order by stage, "index", id limit 100

-- name: kanban-after
select * from public.opportunities
where archived_at is null and deleted_at is null order by stage, "index", id limit 100

-- name: column-before
select * from public.deals
where archived_at is null and stage = 'won' order by "index", id limit 100

-- name: column-old-client
select * from public.deals
where archived_at is null and stage = 'won' order by "index", id limit 100

-- name: column-after
select * from public.opportunities
where archived_at is null and deleted_at is null and stage = 'closed_won'
order by "index", id limit 100

-- name: contacts-before
select id, first_name, last_name, company_name, nb_tasks from public.contacts_summary
order by last_seen desc, id limit 100

-- name: contacts-after
select id, first_name, last_name, company_name, nb_tasks, nb_organizations
from public.contacts_summary order by last_seen desc, id limit 100

-- name: companies-before
select id, name, nb_deals, nb_contacts from public.companies_summary order by name, id limit 100

-- name: companies-after
select id, name, nb_opportunities, nb_contacts from public.companies_summary
order by name, id limit 100

-- name: contacts_of_company-before
select c.id, c.last_name, o.name from public.contacts c
join public.companies o on o.id = c.company_id
where o.sector = 'Energy' order by c.id limit 200

-- name: contacts_of_company-after
select c.id, c.last_name, o.name from public.contacts c
join public.contact_organizations j on j.contact_id = c.id and j.deleted_at is null
join public.companies o on o.id = j.organization_id
where o.sector = 'Energy' order by c.id limit 200

-- name: customers_of_deals-before
select d.id, d.name, o.name from public.deals d
join public.companies o on o.id = d.company_id
where o.size = 50 order by d.id limit 200

-- name: customers_of_deals-after
select d.id, d.name, o.name from public.opportunities d
join public.opportunity_participants p
  on p.opportunity_id = d.id and p.role = 'customer' and p.deleted_at is null
join public.companies o on o.id = p.organization_id
where o.size = 50 order by d.id limit 200

-- name: full_text-before
select id, name from public.companies
where to_tsvector('english', concat_ws(' ', name, sector, description, website, city))
  @@ plainto_tsquery('english', 'energy group')
order by id limit 50

-- name: full_text-after
select id, name from public.companies
where search_tsv @@ plainto_tsquery('english', 'energy group')
order by id limit 50
