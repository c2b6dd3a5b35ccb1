-- The tables of users, partitions left to their roots.
SELECT c.oid::int8, n.nspname, c.relname, c.relkind = 'p', pg_catalog.row_security_active(c.oid),
  ARRAY(
    SELECT t.tgname::text FROM pg_catalog.pg_trigger t
    WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
      AND t.tgname <> 'migration_maintenance'
      AND t.tgtype & 4 > 0
    ORDER BY t.tgname COLLATE "C"
  )
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
  AND n.nspname <> ALL (%(without)s::text[])
  AND n.nspname || '.' || c.relname <> ALL (%(without)s::text[])
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
