-- id: verify.rows.contact_organizations
-- severity: critical
-- relation: public.contact_organizations
-- message: every contact with a company has that one as its only live, primary organization
-- hint: fill the junction table again: step 1.2/030_backfill

select
    c.id as contact_id, c.company_id as organization_id, true as is_primary, false as is_primary_contact,
    false as is_primary_decision_maker, null as role, 'Unknown' as purchase_influence,
    'End User' as decision_authority, (c.first_seen at time zone 'UTC')::date as relationship_start_date,
    null as relationship_end_date, null as notes, null as created_by
from public.contacts c
where c.company_id is not null;

select
    contact_id, organization_id, is_primary, is_primary_contact, is_primary_decision_maker, role,
    purchase_influence, decision_authority, relationship_start_date, relationship_end_date, notes, created_by
from public.contact_organizations
where deleted_at is null
