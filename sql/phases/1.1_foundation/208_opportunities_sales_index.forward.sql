-- kind: concurrent
-- summary: index of opportunities by who sells them

create index concurrently opportunities_sales_id_idx on public.deals (sales_id);
