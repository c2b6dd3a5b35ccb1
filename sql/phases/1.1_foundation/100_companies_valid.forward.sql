-- kind: transaction
-- summary: validate the constraints of companies; users go on reading and writing

alter table public.companies
    validate constraint companies_priority_check,
    validate constraint companies_parent_company_id_fkey;
