-- id: deal_notes.required
-- severity: critical
-- relation: public."dealNotes"
-- message: a required field is NULL
-- hint: the target wants a value; a NOT NULL constraint of the source is gone, so put it back when the rows are mended
-- clean-up: delete from public."dealNotes" t where t.deal_id is null;

select t.id as key, concat_ws(', ',
    case when t.deal_id is null then 'deal_id' end
) as detail
from public."dealNotes" t
where t.deal_id is null;
