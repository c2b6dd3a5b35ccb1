-- kind: concurrent
-- summary: index of opportunities by who sells them, dropped

drop index concurrently public.opportunities_sales_id_idx;
