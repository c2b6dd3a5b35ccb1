-- kind: transaction
-- summary: new columns of deals go; what users put there was archived when the swap was undone

-- dropping a foreign key locks the table it points to as well
lock table public.companies, public.deals in access exclusive mode;

drop trigger opportunities_search on public.deals;
drop function public.opportunities_search();
-- there only if the migration stopped before the swap
drop trigger if exists deals_lead_opportunities on public.deals;
drop function if exists public.deals_lead_opportunities();

alter table public.deals
    drop column search_tsv,
    drop column deleted_at,
    drop column decision_criteria,
    drop column competition,
    drop column next_action_date,
    drop column next_action,
    drop column status_manual,
    drop column stage_manual,
    drop column founding_interaction_id,
    drop column distributor_organization_id,
    drop column principal_organization_id,
    drop column customer_organization_id,
    drop column actual_close_date,
    drop column estimated_close_date,
    drop column probability,
    drop column priority,
    drop column status,
    drop column stage_new,
    drop column company_id_backup;
