-- id: contact_notes.required
-- severity: critical
-- relation: public."contactNotes"
-- message: a required field is NULL
-- hint: the target wants a value; a NOT NULL constraint of the source is gone, so put it back when the rows are mended
-- clean-up: delete from public."contactNotes" t where t.contact_id is null;

select t.id as key, concat_ws(', ',
    case when t.contact_id is null then 'contact_id' end
) as detail
from public."contactNotes" t
where t.contact_id is null;
