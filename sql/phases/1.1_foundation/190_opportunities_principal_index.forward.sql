-- kind: concurrent
-- summary: index of opportunities by principal

create index concurrently opportunities_principal_organization_id_idx on public.deals (principal_organization_id);
