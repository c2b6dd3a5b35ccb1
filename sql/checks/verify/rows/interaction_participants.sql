-- id: verify.rows.interaction_participants
-- severity: critical
-- relation: public.interaction_participants
-- message: every engagement has its contact as the one participant
-- hint: fill the table again: step 1.4/030_backfill
-- samples: no

select
    t.id as source_task_id, t.contact_id, null as organization_id, 'participant' as role, null as notes
from public.tasks t
where t.done_date is not null;

select a.source_task_id, p.contact_id, p.organization_id, p.role, p.notes
from public.interaction_participants p
join public.activities a on a.id = p.activity_id
