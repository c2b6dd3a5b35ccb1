-- id: verify.rows.opportunities
-- severity: critical
-- relation: public.opportunities
-- message: every deal is an opportunity
-- hint: migrate again from the backup, or roll back

select
    d.id, d.name, d.company_id, d.contact_ids, d.category, d.description, d.amount, d.created_at,
    d.updated_at, d.archived_at, d.expected_closing_date, d.sales_id, d."index",
    m.stage, m.probability,
    d.company_id as customer_organization_id,
    (d.expected_closing_date at time zone 'UTC')::date as estimated_close_date,
    case when m.stage in ('closed_won', 'closed_lost') then (d.updated_at at time zone 'UTC')::date
    end as actual_close_date,
    'active' as status, 'medium' as priority, false as stage_manual, false as status_manual,
    null as principal_organization_id, null as distributor_organization_id, null as founding_interaction_id,
    null as next_action, null as next_action_date, null as competition, null as decision_criteria, null as deleted_at
from public.deals d
left join (values
    ('proposal-sent', 'proposal', 60), ('in-negociation', 'negotiation', 80), ('won', 'closed_won', 100),
    ('lost', 'closed_lost', 0), ('delayed', 'nurturing', 15), ('qualified', 'qualified', 25),
    ('needs_analysis', 'needs_analysis', 40), ('proposal', 'proposal', 60), ('negotiation', 'negotiation', 80),
    ('closed_won', 'closed_won', 100), ('closed_lost', 'closed_lost', 0), ('nurturing', 'nurturing', 15)
) known (word, stage, probability) on known.word = d.stage
cross join lateral (
    select coalesce(known.stage, 'lead') as stage, coalesce(known.probability, 10) as probability
) m;

select
    o.id, o.name, o.company_id, o.contact_ids, o.category, o.description, o.amount, o.created_at,
    o.updated_at, o.archived_at, o.expected_closing_date, o.sales_id, o."index",
    o.stage, o.probability,
    o.customer_organization_id,
    o.estimated_close_date,
    o.actual_close_date,
    o.status, o.priority, o.stage_manual, o.status_manual,
    o.principal_organization_id, o.distributor_organization_id, o.founding_interaction_id,
    o.next_action, o.next_action_date, o.competition, o.decision_criteria, o.deleted_at
from public.opportunities o
