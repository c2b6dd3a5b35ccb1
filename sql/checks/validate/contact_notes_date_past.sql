-- id: contact_notes.date.past
-- severity: warning
-- relation: public."contactNotes"
-- message: a note is dated before 1971
-- hint: kept as it is
-- tolerate: 0.5%
-- clean-up: update public."contactNotes" t set date = null
-- clean-up: where t.date < '1971-01-01 00:00Z';

select t.id as key, t.date::text as detail
from public."contactNotes" t
where t.date < '1971-01-01 00:00Z';
