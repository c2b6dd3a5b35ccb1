-- kind: batch
-- table: public.opportunities
-- key: id
-- batch_workers: 8
-- summary: on the way back, the old stage text of every opportunity that has none, or moved on
--
-- The rows are those whose text does not mean their stage any more: public.opportunity_stage_of, spelt out because every
-- row is asked.

update public.opportunities
set stage_backup = public.deal_stage_of(stage, stage_backup)
where id > %(after)s and id <= %(upto)s
    and stage is distinct from case
        when stage_backup is null then null
        when stage_backup = 'proposal-sent' then 'proposal'::public.opportunity_stage
        when stage_backup = 'in-negociation' then 'negotiation'
        when stage_backup = 'won' then 'closed_won'
        when stage_backup = 'lost' then 'closed_lost'
        when stage_backup = 'delayed' then 'nurturing'
        when stage_backup = 'qualified' then 'qualified'
        when stage_backup = 'needs_analysis' then 'needs_analysis'
        when stage_backup = 'proposal' then 'proposal'
        when stage_backup = 'negotiation' then 'negotiation'
        when stage_backup = 'closed_won' then 'closed_won'
        when stage_backup = 'closed_lost' then 'closed_lost'
        when stage_backup = 'nurturing' then 'nurturing'
        else 'lead'
    end;
