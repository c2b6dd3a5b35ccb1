-- id: verify.rows.contact_notes
-- severity: critical
-- relation: public."contactNotes"
-- message: every row of contactNotes is as it was
-- hint: restore what differs from the backup, or roll back

select
    id, contact_id, text, date, sales_id, status, attachments
from public."contactNotes";

select
    id, contact_id, text, date, sales_id, status, attachments
from public."contactNotes"
