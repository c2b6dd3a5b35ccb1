-- id: verify.rows.contacts_summary
-- severity: critical
-- relation: public.contacts_summary
-- message: contacts_summary answers in its old columns as before
-- hint: make the view again
-- samples: no

select
    id, first_name, last_name, gender, title, email_jsonb, email_fts, phone_jsonb, phone_fts, background,
    avatar, first_seen, last_seen, has_newsletter, status, tags, company_id, sales_id, linkedin_url,
    company_name, nb_tasks
from public.contacts_summary;

select
    id, first_name, last_name, gender, title, email_jsonb, email_fts, phone_jsonb, phone_fts, background,
    avatar, first_seen, last_seen, has_newsletter, status, tags, company_id, sales_id, linkedin_url,
    company_name, nb_tasks
from public.contacts_summary
