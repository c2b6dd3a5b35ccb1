-- id: verify.rows.contacts
-- severity: critical
-- relation: public.contacts
-- message: every contact is as it was, with the defaults of its new columns
-- hint: restore what differs from the backup, or roll back

select
    id, first_name, last_name, gender, title, background, avatar, first_seen, last_seen, has_newsletter,
    status, tags, company_id, sales_id, linkedin_url, email_jsonb, phone_jsonb,
    null as role, null as department, false as is_primary_contact,
    'Unknown' as purchase_influence, 'End User' as decision_authority, null as deleted_at
from public.contacts;

select
    id, first_name, last_name, gender, title, background, avatar, first_seen, last_seen, has_newsletter,
    status, tags, company_id, sales_id, linkedin_url, email_jsonb, phone_jsonb,
    role, department, is_primary_contact,
    purchase_influence, decision_authority, deleted_at
from public.contacts
