-- id: contact_notes.contact_id.dangling
-- severity: critical
-- relation: public."contactNotes"
-- message: contact_id names a row of contacts that does not exist
-- hint: a foreign key of the target would refuse the row; find out how it was lost before it is cleaned up
-- clean-up: delete from public."contactNotes" t
-- clean-up: where t.contact_id is not null and not exists (select from public.contacts r where r.id = t.contact_id);

select t.id as key, 'contact_id ' || t.contact_id as detail
from public."contactNotes" t
where t.contact_id is not null and not exists (select from public.contacts r where r.id = t.contact_id);
