-- kind: transaction
-- summary: contacts_summary with nb_organizations and the new columns, under the reader's rights
--
-- The old view is parked, not dropped, so that the way back is exact.

select migration_control.park_view('public.contacts_summary');

create view public.contacts_summary with (security_invoker = on) as
select
    co.id,
    co.first_name,
    co.last_name,
    co.gender,
    co.title,
    co.email_jsonb,
    jsonb_path_query_array(co.email_jsonb, '$[*].email')::text as email_fts,
    co.phone_jsonb,
    jsonb_path_query_array(co.phone_jsonb, '$[*].number')::text as phone_fts,
    co.background,
    co.avatar,
    co.first_seen,
    co.last_seen,
    co.has_newsletter,
    co.status,
    co.tags,
    co.company_id,
    co.sales_id,
    co.linkedin_url,
    c.name as company_name,
    coalesce(t.nb_tasks, 0) as nb_tasks,
    (
        select count(*) from public.contact_organizations j
        where j.contact_id = co.id and j.deleted_at is null
    ) as nb_organizations,
    co.role,
    co.department,
    co.is_primary_contact,
    co.purchase_influence,
    co.decision_authority,
    co.deleted_at
from public.contacts co
left join public.companies c on c.id = co.company_id
left join (
    select contact_id, count(*) as nb_tasks from public.tasks group by contact_id
) t on t.contact_id = co.id;

select migration_control.copy_grants('migration_control.contacts_summary', 'public.contacts_summary');
select migration_control.copy_comments('migration_control.contacts_summary', 'public.contacts_summary');
