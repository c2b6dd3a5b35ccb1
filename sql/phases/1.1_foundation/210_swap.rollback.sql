-- kind: transaction
-- summary: opportunities become deals again; the archive keeps what deals cannot hold

drop view public.companies_summary;
drop view public.opportunities_summary;
drop view public.deals_summary;
drop view public."dealNotes";
drop view public.deals;
drop function public.deal_notes_write();
drop function public.deals_write();

lock table public.opportunities, public."opportunityNotes" in access exclusive mode;

select migration_control.archive(
    'public.opportunities',
    $$stage in ('qualified', 'needs_analysis') and stage_backup is distinct from stage::text
        or status <> 'active'
        or priority <> 'medium'
        or probability <> case stage
            when 'lead' then 10
            when 'qualified' then 25
            when 'needs_analysis' then 40
            when 'proposal' then 60
            when 'negotiation' then 80
            when 'closed_won' then 100
            when 'closed_lost' then 0
            when 'nurturing' then 15
        end
        or estimated_close_date is distinct from (expected_closing_date at time zone 'UTC')::date
        or actual_close_date is distinct from case
            when stage in ('closed_won', 'closed_lost') then (updated_at at time zone 'UTC')::date
        end
        or customer_organization_id is distinct from company_id
        or principal_organization_id is not null
        or distributor_organization_id is not null
        or founding_interaction_id is not null
        or stage_manual
        or status_manual
        or next_action is not null
        or next_action_date is not null
        or competition is not null
        or decision_criteria is not null
        or deleted_at is not null$$,
    array['id', 'stage', 'status', 'priority', 'probability', 'estimated_close_date', 'actual_close_date',
        'customer_organization_id', 'principal_organization_id', 'distributor_organization_id',
        'founding_interaction_id', 'stage_manual', 'status_manual', 'next_action', 'next_action_date', 'competition',
        'decision_criteria', 'deleted_at']
);

-- The steps after this one have prepared the old text, unless the forward run ended right here.
do $$
begin
    if not exists (
        select from pg_catalog.pg_constraint
        where conrelid = 'public.opportunities'::regclass and conname = 'opportunities_stage_backup_check' and convalidated
    ) then
        update public.opportunities
        set stage_backup = public.deal_stage_of(stage, stage_backup)
        where stage_backup is null or stage <> public.opportunity_stage_of(stage_backup);
    end if;
end
$$;

drop trigger if exists opportunities_legacy_stage on public.opportunities;
drop function if exists public.opportunities_legacy_stage();
drop trigger opportunities_derive on public.opportunities;
drop function public.opportunities_derive();

-- Names, and NOT NULL on the old text, for which the validated check spares the look at every row.
select migration_control.undo_all();

alter table public.deals drop constraint if exists opportunities_stage_backup_check;

select migration_control.unpark_view('deals_summary');
select migration_control.unpark_view('companies_summary');
