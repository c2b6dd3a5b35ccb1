-- kind: concurrent
-- summary: index of opportunities by the contacts that they name

create index concurrently opportunities_contact_ids_idx on public.deals using gin (contact_ids);
