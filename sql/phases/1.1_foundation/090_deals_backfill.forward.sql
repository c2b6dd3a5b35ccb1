-- kind: batch
-- table: public.deals
-- key: id
-- summary: every new column of deals, in one pass
--
-- The map is that of public.opportunity_stage_of and opportunity_stage_probability, spelt out because two calls for every
-- row cost more than the rest. It reads only the row it writes, so a write of a user in between is never undone.

update public.deals
set company_id_backup = company_id,
    customer_organization_id = company_id,
    stage_new = case stage
        when 'proposal-sent' then 'proposal'::public.opportunity_stage
        when 'in-negociation' then 'negotiation'
        when 'won' then 'closed_won'
        when 'lost' then 'closed_lost'
        when 'delayed' then 'nurturing'
        when 'qualified' then 'qualified'
        when 'needs_analysis' then 'needs_analysis'
        when 'proposal' then 'proposal'
        when 'negotiation' then 'negotiation'
        when 'closed_won' then 'closed_won'
        when 'closed_lost' then 'closed_lost'
        when 'nurturing' then 'nurturing'
        else 'lead'
    end,
    probability = case stage
        when 'proposal-sent' then 60
        when 'in-negociation' then 80
        when 'won' then 100
        when 'lost' then 0
        when 'delayed' then 15
        when 'qualified' then 25
        when 'needs_analysis' then 40
        when 'proposal' then 60
        when 'negotiation' then 80
        when 'closed_won' then 100
        when 'closed_lost' then 0
        when 'nurturing' then 15
        else 10
    end,
    estimated_close_date = (expected_closing_date at time zone 'UTC')::date,
    actual_close_date = case
        when stage in ('won', 'closed_won', 'lost', 'closed_lost') then (updated_at at time zone 'UTC')::date
    end,
    search_tsv = to_tsvector('pg_catalog.english'::regconfig,
        left(concat_ws(' ', name, category, next_action, description), 120000))
where id > %(after)s and id <= %(upto)s;
