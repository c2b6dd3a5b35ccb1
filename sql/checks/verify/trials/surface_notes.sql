-- id: verify.trial.surface_notes
-- severity: critical
-- message: a deal note written by an old client is not a note of the opportunity
-- hint: make the view public."dealNotes" and its trigger again
-- until: cleanup

insert into public.deals (id, name, stage) values (-7, 'x', 'won');
insert into public."dealNotes" (id, deal_id, text) values (-7, -7, 'x'), (-8, -7, 'y');
update public."dealNotes" set text = 'z' where id = -7;
delete from public."dealNotes" where id = -8;

select 'note -7' as key, count(*) || ' notes' as detail
from public."opportunityNotes" n
where n.opportunity_id = -7
having count(*) <> 1 or min(n.text) <> 'z' or min(n.date) is null
