-- Tables with a key of one column and a text column that may hold anything: what can be read,
-- updated and copied by key. A table whose rows may be copied has a key that is made by itself and
-- nothing else that must be unique.
WITH keyed AS (
  SELECT i.indrelid, i.indkey[0] AS attnum
  FROM pg_catalog.pg_index i
  WHERE i.indisprimary AND i.indnkeyatts = 1
), busy AS (
  SELECT k.conrelid AS relid, unnest(k.conkey) AS attnum
  FROM pg_catalog.pg_constraint k WHERE k.contype IN ('c', 'f', 'x')
  UNION ALL
  SELECT k.confrelid, unnest(k.confkey) FROM pg_catalog.pg_constraint k WHERE k.contype = 'f'
  UNION ALL
  SELECT i.indrelid, unnest(i.indkey::int2[]) FROM pg_catalog.pg_index i
  WHERE i.indisunique OR i.indpred IS NOT NULL
)
SELECT n.nspname AS schema, c.relname AS name, p.attname AS key,
  pg_catalog.format_type(p.atttypid, p.atttypmod) AS key_type, v.attname AS value,
  (p.atthasdef OR p.attidentity <> '')
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_index u
      WHERE u.indrelid = c.oid AND (u.indisunique OR u.indisexclusion) AND NOT u.indisprimary
    ) AS copied,
  ARRAY(
    SELECT a.attname::text FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND a.attidentity <> 'a' AND a.attnum NOT IN (p.attnum, v.attnum)
    ORDER BY a.attnum
  ) AS others
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN keyed ON keyed.indrelid = c.oid
JOIN pg_catalog.pg_attribute p ON p.attrelid = c.oid AND p.attnum = keyed.attnum
JOIN LATERAL (
  SELECT a.attname, a.attnum FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    AND a.attnum <> p.attnum
    AND (a.atttypid = 'pg_catalog.text'::pg_catalog.regtype
      OR a.atttypid = 'pg_catalog.varchar'::pg_catalog.regtype
        AND (a.atttypmod = -1 OR a.atttypmod >= 36))
    AND NOT EXISTS (SELECT FROM busy b WHERE b.relid = c.oid AND b.attnum = a.attnum)
  ORDER BY a.attnum
  LIMIT 1
) v ON true
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname !~ '^pg_' AND n.nspname <> ALL (%(without)s)
ORDER BY 1, 2
