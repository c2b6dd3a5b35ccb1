-- id: verify.trial.surface_delete
-- severity: critical
-- message: a deal that an old client deletes is still an opportunity, or leaves its notes
-- hint: make the view public.deals and its trigger again
-- until: cleanup

insert into public.opportunities (id, name, stage) values (-7, 'x', 'lead');
insert into public."opportunityNotes" (id, opportunity_id) values (-7, -7);
delete from public.deals where id = -7;

select 'opportunity ' || o.id as key from public.opportunities o where o.id = -7
union all
select 'note ' || n.id from public."opportunityNotes" n where n.id = -7
