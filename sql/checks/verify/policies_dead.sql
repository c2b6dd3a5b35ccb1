-- id: verify.policies_dead
-- severity: critical
-- message: policies of new tables that show or change rows that were deleted
-- hint: add deleted_at is null to the policy

select p.tablename || ' ' || p.policyname as key, p.cmd || ' using ' || coalesce(p.qual, 'nothing') as detail
from pg_catalog.pg_policies p
where p.schemaname = 'public' and p.cmd <> 'INSERT' and coalesce(p.qual, '') not like '%deleted_at IS NULL%'
    and p.tablename in (
        'contact_organizations', 'contact_preferred_principals', 'opportunity_participants', 'activities'
    )
