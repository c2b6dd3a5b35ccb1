-- id: verify.indexes_valid
-- severity: critical
-- message: indexes that are invalid or half built
-- hint: drop index concurrently, and make it again

select x.indexrelid::pg_catalog.regclass::text as key,
    pg_catalog.format('valid %s, ready %s, live %s', x.indisvalid, x.indisready, x.indislive) as detail
from pg_catalog.pg_index x
join pg_catalog.pg_class c on c.oid = x.indrelid
where not (x.indisvalid and x.indisready and x.indislive)
    and c.relnamespace::pg_catalog.regnamespace::text !~ '^(pg_|information_schema)'
