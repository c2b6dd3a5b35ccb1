-- What each leaf of a partitioned table asks of a row; a default partition asks nothing here.
SELECT r.oid::int8,
  pg_catalog.string_agg('(' || CASE
      WHEN pg_catalog.pg_get_expr(l.relpartbound, l.oid) = 'DEFAULT' AND p.level = 1 THEN 'true'
      ELSE COALESCE(pg_catalog.pg_get_partition_constraintdef(l.oid), 'true') END || ')',
    ' OR ' ORDER BY l.relname COLLATE "C")
FROM pg_catalog.pg_class r
CROSS JOIN LATERAL pg_catalog.pg_partition_tree(r.oid) AS p
JOIN pg_catalog.pg_class l ON l.oid = p.relid
WHERE r.oid = ANY (%(tables)s::int8[]::oid[]) AND r.relkind = 'p' AND p.isleaf AND p.level > 0
GROUP BY r.oid
