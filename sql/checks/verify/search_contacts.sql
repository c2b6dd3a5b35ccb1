-- id: verify.search_contacts
-- severity: critical
-- relation: public.contacts
-- message: contacts that search does not find by exactly the words of their fields
-- hint: update public.contacts set first_name = first_name for these rows; the trigger makes the words again

select t.id as key, 'the search words are not those of the row' as detail
from public.contacts t
cross join lateral (select concat_ws(' ', t.first_name, t.last_name, t.title, t.department, t.background, (
    select string_agg(e.address #>> '{}', ' ')
    from jsonb_path_query(t.email_jsonb, '$[*].email[*]') e (address)
    where jsonb_typeof(e.address) = 'string'
)) as text offset 0) d -- the text is made once
where (t.search_tsv is null or length(d.text) <= 120000) -- of longer ones the beginning is searched
    and pg_catalog.tsvector_to_array(t.search_tsv)
        is distinct from pg_catalog.tsvector_to_array(to_tsvector('pg_catalog.english', d.text))
