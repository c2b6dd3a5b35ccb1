-- kind: concurrent
-- summary: index of opportunities by the contacts that they name, dropped

drop index concurrently public.opportunities_contact_ids_idx;
