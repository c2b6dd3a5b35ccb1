-- id: verify.opportunities_probability
-- severity: critical
-- relation: public.opportunities
-- message: opportunities whose probability is not that of their stage, though nobody set it
-- hint: update public.opportunities set stage = stage for these rows

select o.id as key, o.stage || ' ' || o.probability as detail
from public.opportunities o
join (values
    ('lead', 10), ('qualified', 25), ('needs_analysis', 40), ('proposal', 60),
    ('negotiation', 80), ('closed_won', 100), ('closed_lost', 0), ('nurturing', 15)
) v (stage, probability) on v.stage = o.stage::text
where not o.stage_manual and o.probability <> v.probability
