-- id: deal_notes.deal_id.dangling
-- severity: critical
-- relation: public."dealNotes"
-- message: deal_id names a row of deals that does not exist
-- hint: a foreign key of the target would refuse the row; find out how it was lost before it is cleaned up
-- clean-up: delete from public."dealNotes" t
-- clean-up: where t.deal_id is not null and not exists (select from public.deals r where r.id = t.deal_id);

select t.id as key, 'deal_id ' || t.deal_id as detail
from public."dealNotes" t
where t.deal_id is not null and not exists (select from public.deals r where r.id = t.deal_id);
