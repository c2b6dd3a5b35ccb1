-- kind: transaction
-- summary: old clients go: the views deals, dealNotes and deals_summary with their triggers and functions

drop view public.deals_summary;
drop view public."dealNotes";
drop view public.deals;
drop function public.deal_notes_write();
drop function public.deals_write();
