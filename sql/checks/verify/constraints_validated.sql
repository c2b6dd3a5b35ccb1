-- id: verify.constraints_validated
-- severity: warning
-- message: constraints that were never validated: rows may break them
-- hint: alter table … validate constraint …

select k.conrelid::pg_catalog.regclass || ' ' || k.conname as key, pg_catalog.pg_get_constraintdef(k.oid) as detail
from pg_catalog.pg_constraint k
where not k.convalidated and k.connamespace::pg_catalog.regnamespace::text !~ '^(pg_|information_schema)'
