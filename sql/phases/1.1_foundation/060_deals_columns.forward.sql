-- kind: transaction
-- summary: new columns of deals, named as they will be, and triggers that fill them while old clients write
--
-- Companies first: that is the order in which users' transactions take the two tables.

lock table public.companies in share row exclusive mode;

alter table public.deals
    add column company_id_backup bigint,
    add column stage_new public.opportunity_stage not null default 'lead',
    add column status public.opportunity_status not null default 'active',
    add column priority public.priority_level not null default 'medium',
    add column probability integer not null default 0,
    add column estimated_close_date date,
    add column actual_close_date date,
    add column customer_organization_id bigint,
    add column principal_organization_id bigint,
    add column distributor_organization_id bigint,
    add column founding_interaction_id bigint,
    add column stage_manual boolean not null default false,
    add column status_manual boolean not null default false,
    add column next_action text,
    add column next_action_date date,
    add column competition text,
    add column decision_criteria text,
    add column deleted_at timestamptz,
    add column search_tsv tsvector;

comment on column public.deals.company_id_backup is 'company_id before the migration, kept until the clean-up';

alter table public.deals
    add constraint opportunities_probability_check check (probability between 0 and 100) not valid,
    add constraint opportunities_customer_organization_id_fkey foreign key (customer_organization_id)
        references public.companies (id) on update cascade on delete cascade not valid,
    add constraint opportunities_principal_organization_id_fkey foreign key (principal_organization_id)
        references public.companies (id) on update cascade on delete set null not valid,
    add constraint opportunities_distributor_organization_id_fkey foreign key (distributor_organization_id)
        references public.companies (id) on update cascade on delete set null not valid;

-- Until the swap the old columns rule and the new ones follow, so rows written now and rows filled by the batch agree.
create function public.deals_lead_opportunities() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    new.company_id_backup := new.company_id;
    new.customer_organization_id := new.company_id;
    new.stage_new := public.opportunity_stage_of(new.stage);
    new.probability := public.opportunity_stage_probability(new.stage_new);
    new.estimated_close_date := (new.expected_closing_date at time zone 'UTC')::date;
    new.actual_close_date := case
        when new.stage_new in ('closed_won', 'closed_lost') then (new.updated_at at time zone 'UTC')::date
    end;
    return new;
end
$$;

revoke all on function public.deals_lead_opportunities() from public, anon;

create trigger deals_lead_opportunities
    before insert or update of company_id, stage, updated_at, expected_closing_date on public.deals
    for each row execute function public.deals_lead_opportunities();

-- Length as in companies_search.
create function public.opportunities_search() returns trigger
language plpgsql set search_path = ''
as $$
begin
    new.search_tsv := to_tsvector('pg_catalog.english'::regconfig,
        left(concat_ws(' ', new.name, new.category, new.next_action, new.description), 120000));
    return new;
end
$$;

revoke all on function public.opportunities_search() from public, anon;

create trigger opportunities_search
    before insert or update of name, description, category, next_action on public.deals
    for each row execute function public.opportunities_search();
