-- id: companies.linkedin_url.malformed
-- severity: warning
-- relation: public.companies
-- message: linkedin_url is no web address
-- hint: kept as it is; the link leads nowhere
-- tolerate: 0.5%
-- clean-up: update public.companies t
-- clean-up: set linkedin_url = case when 'https://' || btrim(t.linkedin_url) ~* '^https?://[^[:space:]/.]+(\.[^[:space:]/.]+)+(/[^[:space:]]*)?$' then 'https://' || btrim(t.linkedin_url) end
-- clean-up: where t.linkedin_url <> '' and t.linkedin_url !~* '^https?://[^[:space:]/.]+(\.[^[:space:]/.]+)+(/[^[:space:]]*)?$';

select t.id as key, quote_literal(left(t.linkedin_url, 80)) as detail
from public.companies t
where t.linkedin_url <> '' and t.linkedin_url !~* '^https?://[^[:space:]/.]+(\.[^[:space:]/.]+)+(/[^[:space:]]*)?$';
