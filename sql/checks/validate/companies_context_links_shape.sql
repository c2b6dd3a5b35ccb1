-- id: companies.context_links.shape
-- severity: warning
-- relation: public.companies
-- message: context_links is no list of web addresses
-- hint: kept as it is; readers that expect a list may fail
-- tolerate: 0.5%
-- clean-up: update public.companies t
-- clean-up: set context_links = (
-- clean-up:     select coalesce(json_agg(e.link), '[]')
-- clean-up:     from json_array_elements(case json_typeof(t.context_links)
-- clean-up:         when 'array' then t.context_links when 'string' then json_build_array(t.context_links) end) e (link)
-- clean-up:     where json_typeof(e.link) = 'string')
-- clean-up: where json_typeof(t.context_links) <> 'array'
-- clean-up:     or exists (
-- clean-up:         select from json_array_elements(
-- clean-up:             case when json_typeof(t.context_links) = 'array' then t.context_links end) e (link)
-- clean-up:         where json_typeof(e.link) <> 'string');

select t.id as key, left(t.context_links::text, 80) as detail
from public.companies t
where t.context_links is not null and (
    json_typeof(t.context_links) <> 'array'
    or exists (
        select from json_array_elements(
            case when json_typeof(t.context_links) = 'array' then t.context_links end) e (link)
        where json_typeof(e.link) <> 'string'
    )
);
