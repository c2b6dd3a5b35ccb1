-- id: sales.name.blank
-- severity: warning
-- relation: public.sales
-- message: a colleague has no name at all
-- clean-up: update public.sales t set last_name = split_part(t.email, '@', 1)
-- clean-up: where btrim(concat(t.first_name, t.last_name), e' \t\r\n\u00a0\ufeff\u200b') = '';

select t.id as key
from public.sales t
where btrim(concat(t.first_name, t.last_name), e' \t\r\n\u00a0\ufeff\u200b') = '';
