-- kind: concurrent
-- summary: index of opportunities by customer

create index concurrently opportunities_customer_organization_id_idx on public.deals (customer_organization_id);
