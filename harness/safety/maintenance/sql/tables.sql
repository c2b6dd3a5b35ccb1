-- The tables of users: whether a role may put a trigger on them, whether the barrier stands on them,
-- and why they are left out.
SELECT c.oid::bigint, n.nspname::text, c.relname::text,
  pg_catalog.pg_has_role(c.relowner, 'USAGE'),
  EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
    WHERE t.tgrelid = c.oid AND t.tgname = 'migration_maintenance' AND t.tgenabled = 'A'),
  CASE WHEN c.relkind = 'f' THEN 'foreign table'
    WHEN EXISTS (SELECT FROM pg_catalog.pg_depend AS d
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
        AND d.deptype = 'e') THEN 'table of an extension'
    WHEN n.nspname <> ALL (%(schemas)s::text[]) THEN 'table outside the plan''s schemas'
  END
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND n.nspname <> ALL (%(ours)s::text[])
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
