-- id: sales.email.malformed
-- severity: warning
-- relation: public.sales
-- message: email is no e-mail address
-- hint: notifications do not reach this colleague
-- clean-up: select t.id, t.first_name, t.last_name, t.email from public.sales t
-- clean-up: where t.email !~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:].]+$';

select t.id as key, quote_literal(left(t.email, 80)) as detail
from public.sales t
where t.email !~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:].]+$';
