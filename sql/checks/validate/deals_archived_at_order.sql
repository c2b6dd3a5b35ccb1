-- id: deals.archived_at.order
-- severity: warning
-- relation: public.deals
-- message: a deal was archived before it was created
-- hint: kept as it is
-- tolerate: 0.5%
-- clean-up: update public.deals t set archived_at = t.created_at
-- clean-up: where t.archived_at < t.created_at;

select t.id as key, t.archived_at || ' before ' || t.created_at as detail
from public.deals t
where t.archived_at < t.created_at;
