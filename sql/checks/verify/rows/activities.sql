-- id: verify.rows.activities
-- severity: critical
-- relation: public.activities
-- message: every task that was done is one engagement, and there is no other activity
-- hint: fill the table again: step 1.4/030_backfill

select
    t.id as source_task_id, 'engagement' as activity_type,
    case t.type
        when 'Call' then 'call' when 'Email' then 'email' when 'Meeting' then 'meeting' when 'Lunch' then 'meeting'
        when 'Demo' then 'demo' when 'Follow-up' then 'follow_up' when 'Thank you' then 'follow_up'
        when 'Ship' then 'follow_up' else 'check_in'
    end as type,
    case when t.type is null or t.type = 'None' then 'Task' else t.type end as subject,
    t.text as description, t.done_date as activity_date, t.contact_id, c.company_id as organization_id,
    s.id as created_by, false as follow_up_required, null as opportunity_id
from public.tasks t
join public.contacts c on c.id = t.contact_id
left join public.sales s on s.id = t.sales_id
where t.done_date is not null;

select
    source_task_id, activity_type, type, subject, description, activity_date, contact_id, organization_id,
    created_by, follow_up_required, opportunity_id
from public.activities
where deleted_at is null
