-- id: verify.rows.deals
-- severity: critical
-- relation: public.deals
-- message: the compatibility view deals shows every deal as it was
-- hint: make the view again
-- samples: no
-- until: cleanup

select
    id, name, company_id, contact_ids, category, stage, description, amount, created_at, updated_at,
    archived_at, expected_closing_date, sales_id, "index"
from public.deals;

select
    id, name, company_id, contact_ids, category, stage, description, amount, created_at, updated_at,
    archived_at, expected_closing_date, sales_id, "index"
from public.deals
