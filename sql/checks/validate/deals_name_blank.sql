-- id: deals.name.blank
-- severity: warning
-- relation: public.deals
-- message: a deal has no name
-- tolerate: 0.5%
-- clean-up: update public.deals t set name = 'Deal ' || t.id
-- clean-up: where btrim(t.name, e' \t\r\n\u00a0\ufeff\u200b') = '';

select t.id as key
from public.deals t
where btrim(t.name, e' \t\r\n\u00a0\ufeff\u200b') = '';
