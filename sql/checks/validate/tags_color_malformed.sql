-- id: tags.color.malformed
-- severity: warning
-- relation: public.tags
-- message: color is no CSS hex colour
-- hint: kept as it is; browsers ignore it
-- clean-up: update public.tags t set color = '#9e9e9e'
-- clean-up: where t.color !~ '^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$';

select t.id as key, quote_literal(left(t.color, 80)) as detail
from public.tags t
where t.color !~ '^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$';
