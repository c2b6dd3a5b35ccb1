-- kind: concurrent
-- summary: index of opportunities by customer, dropped

drop index concurrently public.opportunities_customer_organization_id_idx;
