-- id: verify.rows.opportunity_notes
-- severity: critical
-- relation: public."opportunityNotes"
-- message: every deal note is a note of the same opportunity
-- hint: restore what differs from the backup, or roll back

select
    id, deal_id as opportunity_id, type, text, date, sales_id, attachments
from public."dealNotes";

select
    id, opportunity_id, type, text, date, sales_id, attachments
from public."opportunityNotes"
