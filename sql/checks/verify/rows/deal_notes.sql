-- id: verify.rows.deal_notes
-- severity: critical
-- relation: public."dealNotes"
-- message: the compatibility view dealNotes shows every note as it was
-- hint: make the view again
-- samples: no
-- until: cleanup

select
    id, deal_id, type, text, date, sales_id, attachments
from public."dealNotes";

select
    id, deal_id, type, text, date, sales_id, attachments
from public."dealNotes"
