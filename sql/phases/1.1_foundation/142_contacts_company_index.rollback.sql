-- kind: concurrent
-- summary: index of contacts by company, dropped

drop index concurrently public.contacts_company_id_idx;
