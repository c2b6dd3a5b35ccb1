-- id: companies.website.malformed
-- severity: warning
-- relation: public.companies
-- message: website is no web address
-- hint: kept as it is; the link leads nowhere
-- tolerate: 0.5%
-- clean-up: update public.companies t
-- clean-up: set website = case when 'https://' || btrim(t.website) ~* '^https?://[^[:space:]/.]+(\.[^[:space:]/.]+)+(/[^[:space:]]*)?$' then 'https://' || btrim(t.website) end
-- clean-up: where t.website <> '' and t.website !~* '^https?://[^[:space:]/.]+(\.[^[:space:]/.]+)+(/[^[:space:]]*)?$';

select t.id as key, quote_literal(left(t.website, 80)) as detail
from public.companies t
where t.website <> '' and t.website !~* '^https?://[^[:space:]/.]+(\.[^[:space:]/.]+)+(/[^[:space:]]*)?$';
