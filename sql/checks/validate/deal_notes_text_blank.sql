-- id: deal_notes.text.blank
-- severity: info
-- relation: public."dealNotes"
-- message: text is empty
-- hint: kept as it is
-- clean-up: select t.* from public."dealNotes" t
-- clean-up: where coalesce(btrim(t.text), '') = '';

select t.id as key
from public."dealNotes" t
where coalesce(btrim(t.text), '') = '';
