-- CHECK constraints of tables that the server holds new rows against.
SELECT c.conrelid::int8, c.conname, pg_catalog.pg_get_expr(c.conbin, c.conrelid),
  ARRAY(
    SELECT a.attname::text FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) ORDER BY a.attnum
  )
FROM pg_catalog.pg_constraint c
WHERE c.contype = 'c' AND c.conrelid = ANY (%(tables)s::int8[]::oid[])
  AND pg_catalog.to_jsonb(c) ->> 'conenforced' IS DISTINCT FROM 'false' -- since 18
ORDER BY c.conrelid, c.conname COLLATE "C"
