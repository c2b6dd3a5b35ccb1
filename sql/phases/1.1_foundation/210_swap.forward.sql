-- kind: transaction
-- summary: deals become opportunities; old names live on as views
--
-- Catalog only, in one short transaction: no row is read or written, so users wait for the length of it and no longer.
-- Views before tables: that is the order in which a reader of a view locks.

select migration_control.park_view('public.companies_summary');

do $$
begin
    if to_regclass('public.deals_summary') is not null then
        perform migration_control.park_view('public.deals_summary');
    end if;
end
$$;

lock table public.deals, public."dealNotes" in access exclusive mode;

-- From now on the new columns rule.
drop trigger deals_lead_opportunities on public.deals;
drop function public.deals_lead_opportunities();

-- The old text is the backup, and what the way back starts from.
select migration_control.drop_not_null('public.deals', 'stage');

select migration_control.reversibly(
    'alter table public.deals rename column stage to stage_backup',
    'alter table public.deals rename column stage_backup to stage');

select migration_control.reversibly(
    'alter table public.deals rename column stage_new to stage',
    'alter table public.deals rename column stage to stage_new');

select migration_control.reversibly(
    'alter table public."dealNotes" rename column deal_id to opportunity_id',
    'alter table public."dealNotes" rename column opportunity_id to deal_id');

select migration_control.reversibly(
    'alter table public.deals rename to opportunities',
    'alter table public.opportunities rename to deals');

select migration_control.reversibly(
    'alter table public."dealNotes" rename to "opportunityNotes"',
    'alter table public."opportunityNotes" rename to "dealNotes"');

select migration_control.rename_belongings('public.opportunities');
select migration_control.rename_belongings('public."opportunityNotes"');

-- Who was allowed the column stage is allowed the new one.
select migration_control.copy_column_grants('public.opportunities', 'stage_backup', 'stage');

create function public.opportunities_derive() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare -- on insert old is null, so that a value is a change
    closed constant public.opportunity_stage[] := '{closed_won, closed_lost}';
    expected_changes constant boolean := new.expected_closing_date is distinct from old.expected_closing_date;
    estimate_changes constant boolean := new.estimated_close_date is distinct from old.estimated_close_date;
begin
    if new.customer_organization_id is not distinct from old.customer_organization_id then
        new.customer_organization_id := new.company_id;
    elsif new.company_id is not distinct from old.company_id then
        new.company_id := new.customer_organization_id;
    end if;
    if new.company_id is distinct from new.customer_organization_id then
        raise exception 'company_id % and customer_organization_id % differ', new.company_id, new.customer_organization_id
            using errcode = 'check_violation', schema = 'public', table = 'opportunities',
                hint = 'both name the customer: write one of them, or the same value to both';
    end if;

    if not new.stage_manual then
        new.probability := coalesce(public.opportunity_stage_probability(new.stage), new.probability);
    end if;

    if new.stage = any (closed) then
        if (old.stage = any (closed)) is not true
            and (new.actual_close_date is null or new.actual_close_date is not distinct from old.actual_close_date)
        then
            new.actual_close_date := (new.updated_at at time zone 'UTC')::date;
        end if;
    elsif old.stage = any (closed) then
        new.actual_close_date := null;
    end if;

    -- The moment says more than the day, so it wins where both are written.
    if expected_changes and not (estimate_changes and new.expected_closing_date is null) then
        new.estimated_close_date := (new.expected_closing_date at time zone 'UTC')::date;
    elsif estimate_changes then
        new.expected_closing_date := new.estimated_close_date::timestamp at time zone 'UTC';
    end if;
    return new;
end
$$;

revoke all on function public.opportunities_derive() from public, anon;

create trigger opportunities_derive
    before insert or update of company_id, customer_organization_id, stage, stage_manual, probability,
        expected_closing_date, estimated_close_date
    on public.opportunities
    for each row execute function public.opportunities_derive();

-- The old word for the stage; or the very text the deal had, as long as that still means this stage. As in
-- public.deal_stage_of.
create view public.deals with (security_invoker = on) as
select
    o.id, o.name, o.company_id, o.contact_ids, o.category,
    case o.stage
        when 'lead' then case
            when o.stage_backup is null or o.stage_backup in (
                'proposal-sent', 'in-negociation', 'won', 'lost', 'delayed', 'qualified', 'needs_analysis', 'proposal',
                'negotiation', 'closed_won', 'closed_lost', 'nurturing'
            ) then 'opportunity'
            else o.stage_backup
        end
        when 'qualified' then case o.stage_backup when 'qualified' then 'qualified' else 'opportunity' end
        when 'needs_analysis' then case o.stage_backup when 'needs_analysis' then 'needs_analysis' else 'opportunity' end
        when 'proposal' then case o.stage_backup when 'proposal' then 'proposal' else 'proposal-sent' end
        when 'negotiation' then case o.stage_backup when 'negotiation' then 'negotiation' else 'in-negociation' end
        when 'closed_won' then case o.stage_backup when 'closed_won' then 'closed_won' else 'won' end
        when 'closed_lost' then case o.stage_backup when 'closed_lost' then 'closed_lost' else 'lost' end
        when 'nurturing' then case o.stage_backup when 'nurturing' then 'nurturing' else 'delayed' end
    end as stage,
    o.description, o.amount, o.created_at, o.updated_at, o.archived_at, o.expected_closing_date, o.sales_id, o.index
from public.opportunities o
where o.deleted_at is null;

alter view public.deals alter column id set default nextval('public.opportunities_id_seq'::regclass);
alter view public.deals alter column created_at set default now();
alter view public.deals alter column updated_at set default now();

-- The rights are those of who writes. An update writes the columns that change and no other, so column privileges and
-- triggers of the table see what they saw before.
create function public.deals_write() returns trigger
language plpgsql security invoker set search_path = ''
as $$
declare
    changes text[] := '{}';
    stale boolean := false;
    held public.deals%rowtype;
    label public.opportunity_stage;
begin
    if tg_op = 'DELETE' then
        delete from public.opportunities where id = old.id and deleted_at is null;
        return case when found then old end;
    end if;

    label := case
        when new.stage is null then null
        when new.stage = 'proposal-sent' then 'proposal'::public.opportunity_stage
        when new.stage = 'in-negociation' then 'negotiation'
        when new.stage = 'won' then 'closed_won'
        when new.stage = 'lost' then 'closed_lost'
        when new.stage = 'delayed' then 'nurturing'
        when new.stage = 'qualified' then 'qualified'
        when new.stage = 'needs_analysis' then 'needs_analysis'
        when new.stage = 'proposal' then 'proposal'
        when new.stage = 'negotiation' then 'negotiation'
        when new.stage = 'closed_won' then 'closed_won'
        when new.stage = 'closed_lost' then 'closed_lost'
        when new.stage = 'nurturing' then 'nurturing'
        else 'lead'
    end;

    if tg_op = 'INSERT' then
        insert into public.opportunities (
            id, name, company_id, contact_ids, category, stage_backup, stage, description, amount, created_at, updated_at,
            archived_at, expected_closing_date, sales_id, index
        ) values (
            new.id, new.name, new.company_id, new.contact_ids, new.category, new.stage, label, new.description,
            new.amount, new.created_at, new.updated_at, new.archived_at, new.expected_closing_date, new.sales_id,
            new.index
        );
        return new;
    end if;

    select d.* into held from public.deals d where d.id = old.id for no key update;
    if not found then
        return null;
    end if;
    if new.id is distinct from old.id then
        changes := array_append(changes, 'id = ($1).id');
    end if;
    if new.name is distinct from old.name then
        changes := array_append(changes, 'name = ($1).name');
        stale := held.name is distinct from old.name;
    end if;
    if new.company_id is distinct from old.company_id then
        changes := array_append(changes, 'company_id = ($1).company_id');
        stale := stale or held.company_id is distinct from old.company_id;
    end if;
    if new.contact_ids is distinct from old.contact_ids then
        changes := array_append(changes, 'contact_ids = ($1).contact_ids');
        stale := stale or held.contact_ids is distinct from old.contact_ids;
    end if;
    if new.category is distinct from old.category then
        changes := array_append(changes, 'category = ($1).category');
        stale := stale or held.category is distinct from old.category;
    end if;
    if new.stage is distinct from old.stage then
        changes := changes || array['stage_backup = ($1).stage', 'stage = $2'];
        stale := stale or held.stage is distinct from old.stage;
    end if;
    if new.description is distinct from old.description then
        changes := array_append(changes, 'description = ($1).description');
        stale := stale or held.description is distinct from old.description;
    end if;
    if new.amount is distinct from old.amount then
        changes := array_append(changes, 'amount = ($1).amount');
        stale := stale or held.amount is distinct from old.amount;
    end if;
    if new.created_at is distinct from old.created_at then
        changes := array_append(changes, 'created_at = ($1).created_at');
        stale := stale or held.created_at is distinct from old.created_at;
    end if;
    if new.updated_at is distinct from old.updated_at then
        changes := array_append(changes, 'updated_at = ($1).updated_at');
        stale := stale or held.updated_at is distinct from old.updated_at;
    end if;
    if new.archived_at is distinct from old.archived_at then
        changes := array_append(changes, 'archived_at = ($1).archived_at');
        stale := stale or held.archived_at is distinct from old.archived_at;
    end if;
    if new.expected_closing_date is distinct from old.expected_closing_date then
        changes := array_append(changes, 'expected_closing_date = ($1).expected_closing_date');
        stale := stale or held.expected_closing_date is distinct from old.expected_closing_date;
    end if;
    if new.sales_id is distinct from old.sales_id then
        changes := array_append(changes, 'sales_id = ($1).sales_id');
        stale := stale or held.sales_id is distinct from old.sales_id;
    end if;
    if new.index is distinct from old.index then
        changes := array_append(changes, 'index = ($1).index');
        stale := stale or held.index is distinct from old.index;
    end if;
    if stale then
        raise exception 'deal % was changed by someone else at the same moment', old.id
            using errcode = 'serialization_failure', hint = 'read it again and repeat the change';
    end if;
    if changes <> '{}' then
        execute format('update public.opportunities set %s where id = $3', array_to_string(changes, ', '))
            using new, label, old.id;
    end if;
    return new;
end
$$;

revoke all on function public.deals_write() from public, anon;

create trigger deals_write
    instead of insert or update or delete on public.deals
    for each row execute function public.deals_write();

create view public."dealNotes" with (security_invoker = on) as
select n.id, n.opportunity_id as deal_id, n.type, n.text, n.date, n.sales_id, n.attachments
from public."opportunityNotes" n;

alter view public."dealNotes" alter column id set default nextval('public."opportunityNotes_id_seq"'::regclass);
alter view public."dealNotes" alter column date set default now();

create function public.deal_notes_write() returns trigger
language plpgsql security invoker set search_path = ''
as $$
declare
    changes text[] := '{}';
    stale boolean := false;
    held public."dealNotes"%rowtype;
begin
    if tg_op = 'DELETE' then
        delete from public."opportunityNotes" where id = old.id;
        return case when found then old end;
    end if;

    if tg_op = 'INSERT' then
        insert into public."opportunityNotes" (id, opportunity_id, type, text, date, sales_id, attachments)
        values (new.id, new.deal_id, new.type, new.text, new.date, new.sales_id, new.attachments);
        return new;
    end if;

    select n.* into held from public."dealNotes" n where n.id = old.id for no key update;
    if not found then
        return null;
    end if;
    if new.id is distinct from old.id then
        changes := array_append(changes, 'id = ($1).id');
    end if;
    if new.deal_id is distinct from old.deal_id then
        changes := array_append(changes, 'opportunity_id = ($1).deal_id');
        stale := held.deal_id is distinct from old.deal_id;
    end if;
    if new.type is distinct from old.type then
        changes := array_append(changes, 'type = ($1).type');
        stale := stale or held.type is distinct from old.type;
    end if;
    if new.text is distinct from old.text then
        changes := array_append(changes, 'text = ($1).text');
        stale := stale or held.text is distinct from old.text;
    end if;
    if new.date is distinct from old.date then
        changes := array_append(changes, 'date = ($1).date');
        stale := stale or held.date is distinct from old.date;
    end if;
    if new.sales_id is distinct from old.sales_id then
        changes := array_append(changes, 'sales_id = ($1).sales_id');
        stale := stale or held.sales_id is distinct from old.sales_id;
    end if;
    if new.attachments is distinct from old.attachments then
        changes := array_append(changes, 'attachments = ($1).attachments');
        stale := stale or held.attachments is distinct from old.attachments;
    end if;
    if stale then
        raise exception 'deal note % was changed by someone else at the same moment', old.id
            using errcode = 'serialization_failure', hint = 'read it again and repeat the change';
    end if;
    if changes <> '{}' then
        execute format('update public."opportunityNotes" set %s where id = $2', array_to_string(changes, ', '))
            using new, old.id;
    end if;
    return new;
end
$$;

revoke all on function public.deal_notes_write() from public, anon;

create trigger deal_notes_write
    instead of insert or update or delete on public."dealNotes"
    for each row execute function public.deal_notes_write();

create view public.deals_summary with (security_invoker = on) as
select
    d.id, d.name, d.company_id, d.contact_ids, d.category, d.stage, d.description, d.amount, d.created_at,
    d.updated_at, d.archived_at, d.expected_closing_date, d.sales_id, d.index,
    c.name as company_name,
    array(
        select concat_ws(' ', ct.first_name, ct.last_name)
        from unnest(d.contact_ids) with ordinality as u (contact_id, place)
        join public.contacts ct on ct.id = u.contact_id
        order by u.place
    ) as contact_names,
    coalesce(n.nb_notes, 0) as nb_notes
from public.deals d
left join public.companies c on c.id = d.company_id
left join (
    select opportunity_id, count(*) as nb_notes from public."opportunityNotes" group by opportunity_id
) n on n.opportunity_id = d.id;

create view public.opportunities_summary with (security_invoker = on) as
select
    o.id, o.name, o.company_id, o.contact_ids, o.category, o.stage, o.description, o.amount, o.created_at,
    o.updated_at, o.archived_at, o.expected_closing_date, o.sales_id, o.index, o.status, o.priority, o.probability,
    o.estimated_close_date, o.actual_close_date, o.customer_organization_id, o.principal_organization_id,
    o.distributor_organization_id, o.founding_interaction_id, o.stage_manual, o.status_manual, o.next_action,
    o.next_action_date, o.competition, o.decision_criteria, o.deleted_at,
    c.name as company_name,
    array(
        select concat_ws(' ', ct.first_name, ct.last_name)
        from unnest(o.contact_ids) with ordinality as u (contact_id, place)
        join public.contacts ct on ct.id = u.contact_id
        order by u.place
    ) as contact_names,
    coalesce(n.nb_notes, 0) as nb_notes
from public.opportunities o
left join public.companies c on c.id = o.company_id
left join (
    select opportunity_id, count(*) as nb_notes from public."opportunityNotes" group by opportunity_id
) n on n.opportunity_id = o.id;

create view public.companies_summary with (security_invoker = on) as
select
    c.id, c.created_at, c.name, c.sector, c.size, c.linkedin_url, c.website, c.phone_number, c.address,
    c.zipcode, c.city, c."stateAbbr", c.sales_id, c.context_links, c.country, c.description, c.revenue,
    c.tax_identifier, c.logo,
    coalesce(o.nb_opportunities, 0) as nb_deals,
    coalesce(ct.nb_contacts, 0) as nb_contacts,
    coalesce(o.nb_opportunities, 0) as nb_opportunities,
    c.organization_type, c.is_principal, c.is_distributor, c.parent_company_id, c.segment, c.priority, c.deleted_at,
    c.import_session_id
from public.companies c
left join (
    select company_id, count(*) as nb_opportunities
    from public.opportunities
    where deleted_at is null
    group by company_id
) o on o.company_id = c.id
left join (
    select company_id, count(*) as nb_contacts from public.contacts where deleted_at is null group by company_id
) ct on ct.company_id = c.id;

-- Default privileges opened the new views to anyone; now each is open to whom its predecessor was.
select
    migration_control.copy_grants(old::regclass, new::regclass),
    migration_control.copy_comments(old::regclass, new::regclass)
from (values
    ('public.opportunities', 'public.deals'),
    ('public."opportunityNotes"', 'public."dealNotes"'),
    ('migration_control.companies_summary', 'public.companies_summary'),
    ('migration_control.deals_summary', 'public.deals_summary'),
    ('migration_control.deals_summary', 'public.opportunities_summary')
) as successor (old, new)
where to_regclass(old) is not null;

select
    migration_control.deprecate('public.deals', 'public.opportunities'),
    migration_control.deprecate('public."dealNotes"', 'public."opportunityNotes"'),
    migration_control.deprecate('public.deals_summary', 'public.opportunities_summary');
