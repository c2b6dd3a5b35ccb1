-- kind: concurrent
-- summary: index of opportunities as the board of old clients shows them
--
-- The expression is, to the letter, the stage of the view public.deals: what is stage here is stage_backup there. All rows,
-- since the planner knows nothing of how many have a stage from an index of some.

create index concurrently opportunities_legacy_stage_idx on public.deals ((
    case stage_new
        when 'lead' then case
            when stage is null or stage in (
                'proposal-sent', 'in-negociation', 'won', 'lost', 'delayed', 'qualified', 'needs_analysis', 'proposal',
                'negotiation', 'closed_won', 'closed_lost', 'nurturing'
            ) then 'opportunity'
            else stage
        end
        when 'qualified' then case stage when 'qualified' then 'qualified' else 'opportunity' end
        when 'needs_analysis' then case stage when 'needs_analysis' then 'needs_analysis' else 'opportunity' end
        when 'proposal' then case stage when 'proposal' then 'proposal' else 'proposal-sent' end
        when 'negotiation' then case stage when 'negotiation' then 'negotiation' else 'in-negociation' end
        when 'closed_won' then case stage when 'closed_won' then 'closed_won' else 'won' end
        when 'closed_lost' then case stage when 'closed_lost' then 'closed_lost' else 'lost' end
        when 'nurturing' then case stage when 'nurturing' then 'nurturing' else 'delayed' end
    end
), "index", id);
