-- id: contacts.company_id.missing
-- severity: info
-- relation: public.contacts
-- message: a contact has no company
-- hint: the contact gets no organization
-- clean-up: select t.* from public.contacts t
-- clean-up: where t.company_id is null;

select t.id as key
from public.contacts t
where t.company_id is null;
