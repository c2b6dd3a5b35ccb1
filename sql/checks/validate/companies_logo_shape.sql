-- id: companies.logo.shape
-- severity: warning
-- relation: public.companies
-- message: logo is no picture with an address
-- hint: kept as it is; the picture does not show
-- clean-up: update public.companies t set logo = null
-- clean-up: where t.logo is not null and t.logo <> '{}' and (
-- clean-up:     jsonb_typeof(t.logo) <> 'object' or jsonb_typeof(coalesce(t.logo -> 'src', 'null')) <> 'string'
-- clean-up: );

select t.id as key, left(t.logo::text, 80) as detail
from public.companies t
where t.logo is not null and t.logo <> '{}' and (
    jsonb_typeof(t.logo) <> 'object' or jsonb_typeof(coalesce(t.logo -> 'src', 'null')) <> 'string'
);
