-- id: deals.stage.new
-- severity: info
-- relation: public.deals
-- message: the stage is a word of the new schema already
-- hint: it is kept as it is; find out who writes it before the migration
-- clean-up: select t.id, t.name, t.stage from public.deals t
-- clean-up: where t.stage in (
-- clean-up:     'lead', 'qualified', 'needs_analysis', 'proposal', 'negotiation', 'closed_won', 'closed_lost', 'nurturing');

select t.id as key, t.stage as detail
from public.deals t
where t.stage in (
    'lead', 'qualified', 'needs_analysis', 'proposal', 'negotiation', 'closed_won', 'closed_lost', 'nurturing'
);
