-- kind: concurrent
-- summary: index of opportunities by distributor, dropped

drop index concurrently public.opportunities_distributor_organization_id_idx;
