-- id: verify.rows.opportunity_participants
-- severity: critical
-- relation: public.opportunity_participants
-- message: every deal with a company has that one as its only live participant, the primary customer
-- hint: fill the junction table again: step 1.3/030_backfill

select
    d.id as opportunity_id, d.company_id as organization_id, 'customer' as role, true as is_primary,
    null as notes, null as created_by
from public.deals d
where d.company_id is not null;

select opportunity_id, organization_id, role, is_primary, notes, created_by
from public.opportunity_participants
where deleted_at is null
