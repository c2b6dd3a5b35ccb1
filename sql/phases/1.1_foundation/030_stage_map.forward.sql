-- kind: transaction
-- summary: the stage map there and back, and the probability of a stage
--
-- Triggers and the way back call these. Views, batches and the compatibility triggers spell the same map out: a
-- function with a fixed search_path costs too much for every row, and a reader may not be allowed to call it.

create function public.opportunity_stage_of(deal_stage text) returns public.opportunity_stage
language sql immutable parallel safe set search_path = ''
as $$
    select case deal_stage
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
    end
$$;

comment on function public.opportunity_stage_of(text) is 'the stage of an opportunity for the stage of a deal';

-- The text a deal had, as long as it means the stage that the opportunity has; the old word for the stage otherwise.
create function public.deal_stage_of(stage public.opportunity_stage, stage_backup text) returns text
language sql immutable parallel safe set search_path = ''
as $$
    select case
        when stage_backup is not null and public.opportunity_stage_of(stage_backup) = stage then stage_backup
        else case stage
            when 'lead' then 'opportunity'
            when 'qualified' then 'opportunity'
            when 'needs_analysis' then 'opportunity'
            when 'proposal' then 'proposal-sent'
            when 'negotiation' then 'in-negociation'
            when 'closed_won' then 'won'
            when 'closed_lost' then 'lost'
            when 'nurturing' then 'delayed'
        end
    end
$$;

comment on function public.deal_stage_of(public.opportunity_stage, text) is
    'the stage of a deal for the stage of an opportunity and the text it had';

create function public.opportunity_stage_probability(stage public.opportunity_stage) returns integer
language sql immutable parallel safe set search_path = ''
as $$
    select case stage
        when 'lead' then 10
        when 'qualified' then 25
        when 'needs_analysis' then 40
        when 'proposal' then 60
        when 'negotiation' then 80
        when 'closed_won' then 100
        when 'closed_lost' then 0
        when 'nurturing' then 15
    end
$$;

comment on function public.opportunity_stage_probability(public.opportunity_stage) is
    'the probability, in percent, that goes with a stage';

revoke all on function public.opportunity_stage_of(text) from public, anon;
revoke all on function public.deal_stage_of(public.opportunity_stage, text) from public, anon;
revoke all on function public.opportunity_stage_probability(public.opportunity_stage) from public, anon;
