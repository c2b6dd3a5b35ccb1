-- kind: batch
-- table: public.opportunities
-- key: id
-- summary: on the way back, the old stage text of every opportunity that has none, or moved on
--
-- What public.deal_stage_of says, spelt out for speed.

update public.opportunities
set stage_backup = case stage
        when 'lead' then case
            when stage_backup is null or stage_backup in (
                'proposal-sent', 'in-negociation', 'won', 'lost', 'delayed', 'qualified', 'needs_analysis', 'proposal',
                'negotiation', 'closed_won', 'closed_lost', 'nurturing'
            ) then 'opportunity'
            else stage_backup
        end
        when 'qualified' then case stage_backup when 'qualified' then 'qualified' else 'opportunity' end
        when 'needs_analysis' then case stage_backup when 'needs_analysis' then 'needs_analysis' else 'opportunity' end
        when 'proposal' then case stage_backup when 'proposal' then 'proposal' else 'proposal-sent' end
        when 'negotiation' then case stage_backup when 'negotiation' then 'negotiation' else 'in-negociation' end
        when 'closed_won' then case stage_backup when 'closed_won' then 'closed_won' else 'won' end
        when 'closed_lost' then case stage_backup when 'closed_lost' then 'closed_lost' else 'lost' end
        when 'nurturing' then case stage_backup when 'nurturing' then 'nurturing' else 'delayed' end
    end
where id > %(after)s and id <= %(upto)s
    and stage_backup is distinct from case stage
        when 'lead' then case
            when stage_backup is null or stage_backup in (
                'proposal-sent', 'in-negociation', 'won', 'lost', 'delayed', 'qualified', 'needs_analysis', 'proposal',
                'negotiation', 'closed_won', 'closed_lost', 'nurturing'
            ) then 'opportunity'
            else stage_backup
        end
        when 'qualified' then case stage_backup when 'qualified' then 'qualified' else 'opportunity' end
        when 'needs_analysis' then case stage_backup when 'needs_analysis' then 'needs_analysis' else 'opportunity' end
        when 'proposal' then case stage_backup when 'proposal' then 'proposal' else 'proposal-sent' end
        when 'negotiation' then case stage_backup when 'negotiation' then 'negotiation' else 'in-negociation' end
        when 'closed_won' then case stage_backup when 'closed_won' then 'closed_won' else 'won' end
        when 'closed_lost' then case stage_backup when 'closed_lost' then 'closed_lost' else 'lost' end
        when 'nurturing' then case stage_backup when 'nurturing' then 'nurturing' else 'delayed' end
    end;
