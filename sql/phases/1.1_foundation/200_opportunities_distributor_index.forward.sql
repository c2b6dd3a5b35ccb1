-- kind: concurrent
-- summary: index of opportunities by distributor

create index concurrently opportunities_distributor_organization_id_idx on public.deals (distributor_organization_id);
