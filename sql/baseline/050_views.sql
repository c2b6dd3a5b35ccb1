-- kind: transaction
-- summary: the summary views and init_state

create view public.companies_summary with (security_invoker = on) as
select
    c.id, c.created_at, c.name, c.sector, c.size, c.linkedin_url, c.website, c.phone_number, c.address,
    c.zipcode, c.city, c."stateAbbr", c.sales_id, c.context_links, c.country, c.description, c.revenue,
    c.tax_identifier, c.logo,
    coalesce(d.nb_deals, 0) as nb_deals,
    coalesce(ct.nb_contacts, 0) as nb_contacts
from public.companies c
left join (
    select company_id, count(*) as nb_deals from public.deals group by company_id
) d on d.company_id = c.id
left join (
    select company_id, count(*) as nb_contacts from public.contacts group by company_id
) ct on ct.company_id = c.id;

-- Not security_invoker: the baseline's own flaw, kept because the subject starts from what was there.
create view public.contacts_summary as
select
    co.id, co.first_name, co.last_name, co.gender, co.title,
    co.email_jsonb, jsonb_path_query_array(co.email_jsonb, '$[*].email')::text as email_fts,
    co.phone_jsonb, jsonb_path_query_array(co.phone_jsonb, '$[*].number')::text as phone_fts,
    co.background, co.avatar, co.first_seen, co.last_seen, co.has_newsletter, co.status, co.tags,
    co.company_id, co.sales_id, co.linkedin_url,
    c.name as company_name,
    coalesce(t.nb_tasks, 0) as nb_tasks
from public.contacts co
left join public.companies c on c.id = co.company_id
left join (
    select contact_id, count(*) as nb_tasks from public.tasks group by contact_id
) t on t.contact_id = co.id;

create view public.deals_summary with (security_invoker = on) as
select
    d.id, d.name, d.company_id, d.contact_ids, d.category, d.stage, d.description, d.amount, d.created_at,
    d.updated_at, d.archived_at, d.expected_closing_date, d.sales_id, d.index,
    c.name as company_name,
    array(
        select concat_ws(' ', ct.first_name, ct.last_name)
        from unnest(d.contact_ids) with ordinality as u (contact_id, place)
        join public.contacts ct on ct.id = u.contact_id
        order by u.place
    ) as contact_names,
    coalesce(n.nb_notes, 0) as nb_notes
from public.deals d
left join public.companies c on c.id = d.company_id
left join (
    select deal_id, count(*) as nb_notes from public."dealNotes" group by deal_id
) n on n.deal_id = d.id;

-- Read before anyone has signed in, so it runs with its owner's rights on purpose; it says one bit.
create view public.init_state with (security_invoker = off) as
select count(sub.id) as is_initialized
from (select sales.id from public.sales limit 1) sub;
