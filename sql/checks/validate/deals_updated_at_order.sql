-- id: deals.updated_at.order
-- severity: warning
-- relation: public.deals
-- message: a deal was updated before it was created
-- hint: actual_close_date of a closed opportunity is made of updated_at
-- tolerate: 0.5%
-- clean-up: update public.deals t set updated_at = t.created_at
-- clean-up: where t.updated_at < t.created_at;

select t.id as key, t.updated_at || ' before ' || t.created_at as detail
from public.deals t
where t.updated_at < t.created_at;
