-- id: deals.stage.blank
-- severity: warning
-- relation: public.deals
-- message: a deal has no stage
-- hint: the opportunity becomes a lead
-- tolerate: 0.5%
-- clean-up: update public.deals t set stage = 'opportunity'
-- clean-up: where btrim(t.stage) = '';

select t.id as key
from public.deals t
where btrim(t.stage) = '';
