-- Unique indexes and exclusion constraints: each key as text, a plain column by its name too.
SELECT i.indrelid::int8, x.relname,
  ARRAY(
    SELECT COALESCE(
      (SELECT a.attname::text FROM pg_catalog.pg_attribute a
       WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1] AND a.attnum > 0), '')
    FROM pg_catalog.generate_series(1, i.indnkeyatts) AS k ORDER BY k
  ),
  ARRAY(
    SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k, true)
    FROM pg_catalog.generate_series(1, i.indnkeyatts) AS k ORDER BY k
  ),
  pg_catalog.pg_get_expr(i.indpred, i.indrelid),
  NOT (pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean,
  NOT i.indimmediate,
  ARRAY(
    SELECT o.oprname::text FROM pg_catalog.unnest(c.conexclop) WITH ORDINALITY AS u (oid, place)
    JOIN pg_catalog.pg_operator o ON o.oid = u.oid ORDER BY u.place
  )
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_catalog.pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
WHERE (i.indisunique OR i.indisexclusion) AND i.indisready AND i.indislive
  AND i.indrelid = ANY (%(tables)s::int8[]::oid[])
ORDER BY i.indrelid, NOT i.indisprimary, x.relname COLLATE "C"
