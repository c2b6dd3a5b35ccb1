-- kind: batch
-- table: public.companies
-- key: id
-- summary: search text of companies

update public.companies
set search_tsv = to_tsvector('pg_catalog.english'::regconfig,
        left(concat_ws(' ', name, sector, city, website, description), 120000))
where id > %(after)s and id <= %(upto)s;
