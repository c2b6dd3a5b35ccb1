-- id: verify.rows.deals_summary
-- severity: critical
-- relation: public.deals_summary
-- message: deals_summary answers as before
-- hint: make the view again
-- samples: no
-- until: cleanup

select
    id, name, company_id, contact_ids, category, stage, description, amount, created_at, updated_at,
    archived_at, expected_closing_date, sales_id, "index", company_name, contact_names, nb_notes
from public.deals_summary;

select
    id, name, company_id, contact_ids, category, stage, description, amount, created_at, updated_at,
    archived_at, expected_closing_date, sales_id, "index", company_name, contact_names, nb_notes
from public.deals_summary
