-- id: contact_notes.text.blank
-- severity: info
-- relation: public."contactNotes"
-- message: text is empty
-- hint: kept as it is
-- clean-up: select t.* from public."contactNotes" t
-- clean-up: where coalesce(btrim(t.text), '') = '';

select t.id as key
from public."contactNotes" t
where coalesce(btrim(t.text), '') = '';
