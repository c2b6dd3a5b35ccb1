-- kind: concurrent
-- summary: index of opportunities by principal, dropped

drop index concurrently public.opportunities_principal_organization_id_idx;
