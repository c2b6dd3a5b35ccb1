-- id: verify.trial.stages
-- severity: critical
-- message: an opportunity that changes its stage does not get what the stage means
-- hint: make public.opportunity_stage_probability and the trigger opportunities_derive again

insert into public.opportunities (id, name, stage, updated_at)
select -row_number() over (), 'x', 'lead', '2030-01-02 00:00+00'
from unnest(enum_range(null::public.opportunity_stage)) s (stage);
update public.opportunities o set stage = s.stage
from unnest(enum_range(null::public.opportunity_stage)) with ordinality s (stage, place)
where o.id = -s.place;

select v.stage as key, pg_catalog.format('%s, %s, closed on %s', o.stage, o.probability, o.actual_close_date) as detail
from (values
    (-1, 'lead', 10, null), (-2, 'qualified', 25, null), (-3, 'needs_analysis', 40, null), (-4, 'proposal', 60, null),
    (-5, 'negotiation', 80, null), (-6, 'closed_won', 100, '2030-01-02'), (-7, 'closed_lost', 0, '2030-01-02'),
    (-8, 'nurturing', 15, null)
) v (id, stage, probability, closed)
left join public.opportunities o on o.id = v.id
where (o.stage::text, o.probability, o.actual_close_date) is distinct from (v.stage, v.probability, v.closed::date)
