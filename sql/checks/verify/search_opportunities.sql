-- id: verify.search_opportunities
-- severity: critical
-- relation: public.opportunities
-- message: opportunities that search does not find by exactly the words of their fields
-- hint: update public.opportunities set name = name for these rows; the trigger makes the words again

select t.id as key, 'the search words are not those of the row' as detail
from public.opportunities t
cross join lateral (select concat_ws(' ', t.name, t.description, t.category, t.next_action) as text offset 0) d -- the text is made once
where (t.search_tsv is null or length(d.text) <= 120000) -- of longer ones the beginning is searched
    and pg_catalog.tsvector_to_array(t.search_tsv)
        is distinct from pg_catalog.tsvector_to_array(to_tsvector('pg_catalog.english', d.text))
