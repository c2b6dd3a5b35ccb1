-- id: deals.stage.unknown
-- severity: warning
-- relation: public.deals
-- message: the stage is none that the migration knows
-- hint: the opportunity becomes a lead; the text stays in stage_backup
-- tolerate: 0.5%
-- clean-up: update public.deals t
-- clean-up: set stage = coalesce(
-- clean-up:     (select known.stage
-- clean-up:      from unnest(array['opportunity', 'proposal-sent', 'in-negociation', 'won', 'lost', 'delayed']) known (stage)
-- clean-up:      where known.stage = lower(btrim(t.stage))),
-- clean-up:     'opportunity')
-- clean-up: where btrim(t.stage) <> '' and t.stage not in (
-- clean-up:     'opportunity', 'proposal-sent', 'in-negociation', 'won', 'lost', 'delayed',
-- clean-up:     'lead', 'qualified', 'needs_analysis', 'proposal', 'negotiation', 'closed_won', 'closed_lost', 'nurturing');

select t.id as key, quote_literal(left(t.stage, 80)) as detail
from public.deals t
where btrim(t.stage) <> '' and t.stage not in (
    'opportunity', 'proposal-sent', 'in-negociation', 'won', 'lost', 'delayed',
    'lead', 'qualified', 'needs_analysis', 'proposal', 'negotiation', 'closed_won', 'closed_lost', 'nurturing'
);
