-- id: verify.trial.delete
-- severity: critical
-- message: deleting an opportunity or a company does not delete what it did
-- hint: compare the foreign keys and triggers with the plan

insert into public.companies (id, name) values (-7, 'x');
insert into public.opportunities (id, name, stage) values (-7, 'x', 'lead'), (-8, 'x', 'lead');
insert into public."opportunityNotes" (id, opportunity_id) values (-7, -7), (-8, -8);
insert into public.opportunity_participants (id, opportunity_id, organization_id, role, is_primary)
values (-8, -8, -7, 'customer', true);
delete from public.opportunities where id = -7;
delete from public.companies where id = -7;

select 'opportunity ' || o.id as key from public.opportunities o where o.id in (-7, -8)
union all
select 'note ' || n.id from public."opportunityNotes" n where n.id in (-7, -8)
union all
select 'participant ' || p.id from public.opportunity_participants p where p.id = -8
