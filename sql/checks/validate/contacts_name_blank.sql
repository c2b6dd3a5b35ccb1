-- id: contacts.name.blank
-- severity: warning
-- relation: public.contacts
-- message: a contact has no name at all
-- tolerate: 0.5%
-- clean-up: update public.contacts t set last_name = 'Contact ' || t.id
-- clean-up: where btrim(concat(t.first_name, t.last_name), e' \t\r\n\u00a0\ufeff\u200b') = '';

select t.id as key
from public.contacts t
where btrim(concat(t.first_name, t.last_name), e' \t\r\n\u00a0\ufeff\u200b') = '';
