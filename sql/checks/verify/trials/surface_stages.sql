-- id: verify.trial.surface_stages
-- severity: critical
-- message: an old stage is not what it means, or a new one reads otherwise to old clients
-- hint: make the view public.deals, its trigger and the stage map again
-- until: cleanup

insert into public.deals (id, name, stage)
select -row_number() over (), 'x', v.stage
from (values
    ('opportunity'), ('proposal-sent'), ('in-negociation'), ('won'), ('lost'), ('delayed'), ('whatever'),
    ('qualified'), ('needs_analysis'), ('proposal'), ('negotiation'), ('closed_won'), ('closed_lost'), ('nurturing')
) v (stage);
insert into public.opportunities (id, name, stage)
select -100 - row_number() over (), 'x', s.stage
from unnest(enum_range(null::public.opportunity_stage)) s (stage);

select v.said || ' ' || v.meant as key,
    coalesce(d.stage, 'no deal') || ' ' || coalesce(o.stage::text, 'no opportunity') || ' ' || coalesce(o.probability, 0)
        as detail
from (values
    (-1, 'opportunity', 'lead', 10), (-2, 'proposal-sent', 'proposal', 60), (-3, 'in-negociation', 'negotiation', 80),
    (-4, 'won', 'closed_won', 100), (-5, 'lost', 'closed_lost', 0), (-6, 'delayed', 'nurturing', 15),
    (-7, 'whatever', 'lead', 10), (-8, 'qualified', 'qualified', 25), (-9, 'needs_analysis', 'needs_analysis', 40),
    (-10, 'proposal', 'proposal', 60), (-11, 'negotiation', 'negotiation', 80), (-12, 'closed_won', 'closed_won', 100),
    (-13, 'closed_lost', 'closed_lost', 0), (-14, 'nurturing', 'nurturing', 15),
    (-101, 'opportunity', 'lead', 10), (-102, 'opportunity', 'qualified', 25), (-103, 'opportunity', 'needs_analysis', 40),
    (-104, 'proposal-sent', 'proposal', 60), (-105, 'in-negociation', 'negotiation', 80), (-106, 'won', 'closed_won', 100),
    (-107, 'lost', 'closed_lost', 0), (-108, 'delayed', 'nurturing', 15)
) v (id, said, meant, probability)
left join public.deals d on d.id = v.id
left join public.opportunities o on o.id = v.id
where (d.stage, o.stage::text, o.probability) is distinct from (v.said, v.meant, v.probability)
