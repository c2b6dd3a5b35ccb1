-- The fields of composite types.
SELECT t.oid::int8, a.attname, a.atttypid::int8, a.atttypmod
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid
WHERE t.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped
  AND t.typnamespace <> ALL (ARRAY['pg_catalog', 'information_schema', 'pg_toast']::regnamespace[])
ORDER BY t.oid, a.attnum
