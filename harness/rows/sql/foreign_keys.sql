-- Foreign keys, those of partitions left to their roots.
SELECT c.conrelid::int8, c.conname, k.columns, c.confrelid::int8,
  pn.nspname || '.' || p.relname, k.keys, c.condeferrable, c.confmatchtype = 'f'
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class p ON p.oid = c.confrelid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
CROSS JOIN LATERAL (
  SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.place) AS columns,
    pg_catalog.array_agg(b.attname::text ORDER BY u.place) AS keys
  FROM ROWS FROM (pg_catalog.unnest(c.conkey), pg_catalog.unnest(c.confkey))
    WITH ORDINALITY AS u (own, other, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = u.own
  JOIN pg_catalog.pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = u.other
) k
WHERE c.contype = 'f' AND c.conparentid = 0 AND c.conrelid = ANY (%(tables)s::int8[]::oid[])
ORDER BY c.conrelid, c.conname COLLATE "C"
