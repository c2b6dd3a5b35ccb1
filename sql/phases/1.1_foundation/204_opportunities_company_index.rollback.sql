-- kind: concurrent
-- summary: index of opportunities by company, dropped

drop index concurrently public.opportunities_company_id_idx;
