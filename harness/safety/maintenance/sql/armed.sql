-- The tables that the barrier's trigger stands on, whatever they are called by now.
SELECT c.oid::bigint, n.nspname::text, c.relname::text
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE t.tgname = 'migration_maintenance'
  AND t.tgfoid = pg_catalog.to_regprocedure('migration_maintenance.refuse()')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
