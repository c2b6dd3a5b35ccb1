-- kind: batch
-- table: public.contacts
-- key: id
-- summary: backup of company_id, and search text of contacts

update public.contacts
set company_id_backup = company_id,
    search_tsv = to_tsvector('pg_catalog.english'::regconfig,
        left(concat_ws(' ', first_name, last_name, title, department,
            jsonb_path_query_array(email_jsonb, 'lax $[*].email ? (@.type() == "string")')::text,
            background), 120000))
where id > %(after)s and id <= %(upto)s;
