-- Every object a clean-up may drop: what it is called, and the object with which it would go.
WITH schema AS (
  SELECT oid, nspname FROM pg_catalog.pg_namespace
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), relation AS (
  SELECT c.oid, c.relkind, n.nspname,
    pg_catalog.format('%s %I.%I',
      CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' ELSE 'table' END,
      n.nspname, c.relname) AS name
  FROM pg_catalog.pg_class AS c JOIN schema AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i')
)
SELECT pg_catalog.format('schema %I', nspname), NULL FROM schema
UNION ALL
SELECT r.name, coalesce(t.name, pg_catalog.format('schema %I', r.nspname))
FROM relation AS r
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = r.oid
LEFT JOIN pg_catalog.pg_depend AS d ON r.relkind = 'S' AND d.objid = r.oid
  AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
LEFT JOIN relation AS t ON t.oid = coalesce(i.indrelid, d.refobjid)
UNION ALL
SELECT pg_catalog.format('column %s.%I', pg_catalog.split_part(r.name, ' ', 2), a.attname), r.name
FROM relation AS r JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid
WHERE r.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT pg_catalog.format('trigger %I on %s', t.tgname, pg_catalog.split_part(r.name, ' ', 2)), r.name
FROM relation AS r JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid
WHERE NOT t.tgisinternal
UNION ALL
SELECT pg_catalog.format('function %I.%I(%s)', n.nspname, p.proname,
    pg_catalog.pg_get_function_identity_arguments(p.oid)),
  pg_catalog.format('schema %I', n.nspname)
FROM pg_catalog.pg_proc AS p JOIN schema AS n ON n.oid = p.pronamespace
UNION ALL
SELECT pg_catalog.format('type %I.%I', n.nspname, t.typname),
  pg_catalog.format('schema %I', n.nspname)
FROM pg_catalog.pg_type AS t JOIN schema AS n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd')
