-- id: verify.enums
-- severity: critical
-- message: enums that are missing, or have other labels, or in another order
-- hint: run step 1.1/020_enums again

select e.name as key, coalesce('has ' || a.labels, 'is missing') as detail
from (values
    ('activity_type', 'engagement interaction'),
    ('contact_role', 'decision_maker influencer buyer end_user gatekeeper champion technical executive'),
    ('interaction_type', 'call email meeting demo proposal follow_up trade_show site_visit contract_review check_in social'),
    ('opportunity_stage', 'lead qualified needs_analysis proposal negotiation closed_won closed_lost nurturing'),
    ('opportunity_status', 'active on_hold nurturing stalled expired'),
    ('organization_type', 'customer principal distributor prospect vendor partner unknown'),
    ('priority_level', 'low medium high critical')
) e (name, labels)
left join (
    select t.typname, pg_catalog.string_agg(l.enumlabel, ' ' order by l.enumsortorder) as labels
    from pg_catalog.pg_type t
    join pg_catalog.pg_enum l on l.enumtypid = t.oid
    where t.typnamespace = 'public'::pg_catalog.regnamespace
    group by t.typname
) a on a.typname = e.name
where a.labels is distinct from e.labels
