-- kind: transaction
-- summary: the stage map goes

drop function public.opportunity_stage_probability(public.opportunity_stage);
drop function public.deal_stage_of(public.opportunity_stage, text);
drop function public.opportunity_stage_of(text);
