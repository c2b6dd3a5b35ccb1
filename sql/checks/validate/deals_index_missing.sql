-- id: deals.index.missing
-- severity: info
-- relation: public.deals
-- message: a deal has no place in its column
-- hint: kept as it is; the board shows it last
-- clean-up: update public.deals t
-- clean-up: set index = (select coalesce(max(o.index), -1) + 1 from public.deals o where o.stage = t.stage)
-- clean-up: where t.index is null;

select t.id as key
from public.deals t
where t.index is null;
