-- What is known of the key columns of batch scripts, one row for each, in the order asked for.
WITH RECURSIVE asked AS (
  SELECT a.number, a.key, c.oid, c.relkind
  FROM unnest({schemas}::text[], {tables}::text[], {keys}::text[])
    WITH ORDINALITY AS a (schema, relation, key, number)
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = a.schema
  LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = a.relation
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), family AS (
  SELECT number, key, oid FROM asked WHERE oid IS NOT NULL
  UNION
  SELECT f.number, f.key, i.inhrelid
  FROM family AS f JOIN pg_catalog.pg_inherits AS i ON i.inhparent = f.oid
), base AS (
  SELECT a.number, a.oid, t.attnum, t.atttypid, t.atttypid AS type
  FROM asked AS a JOIN pg_catalog.pg_attribute AS t
    ON t.attrelid = a.oid AND t.attname = a.key AND t.attnum > 0 AND NOT t.attisdropped
  UNION
  SELECT b.number, b.oid, b.attnum, b.atttypid, d.typbasetype
  FROM base AS b JOIN pg_catalog.pg_type AS d ON d.oid = b.type AND d.typtype = 'd'
)
SELECT a.relkind::text,
  b.attnum IS NOT NULL,
  pg_catalog.format_type(b.atttypid, NULL),
  pg_catalog.format_type(b.type, NULL),
  (SELECT pg_catalog.array_agg(f.oid::pg_catalog.regclass::text ORDER BY f.oid)
   FROM family AS f JOIN pg_catalog.pg_attribute AS t ON t.attrelid = f.oid AND t.attname = f.key
   WHERE f.number = a.number AND (NOT t.attnotnull OR EXISTS (
     SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = f.oid AND k.contype = 'n'
       AND k.conkey = ARRAY[t.attnum] AND NOT k.convalidated))),
  (SELECT pg_catalog.min(f.oid::pg_catalog.regclass::text)
   FROM family AS f JOIN pg_catalog.pg_class AS c ON c.oid = f.oid
   WHERE f.number = a.number AND f.oid <> a.oid AND c.relkind = 'f'),
  a.oid IS NOT NULL AND pg_catalog.row_security_active(a.oid),
  (SELECT pg_catalog.array_agg(t.attname::text ORDER BY t.attnum)
   FROM pg_catalog.pg_attrdef AS g
   JOIN pg_catalog.pg_attribute AS own ON own.attrelid = g.adrelid AND own.attnum = g.adnum
     AND own.attgenerated <> ''
   JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
     AND d.objid = g.oid AND d.refobjid = a.oid
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
   JOIN pg_catalog.pg_attribute AS t ON t.attrelid = a.oid AND t.attnum = d.refobjsubid
   WHERE g.adrelid = a.oid AND g.adnum = b.attnum AND d.refobjsubid <> b.attnum),
  EXISTS (SELECT FROM pg_catalog.pg_index AS i
    WHERE i.indrelid = a.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = b.attnum)
  AND pg_catalog.has_column_privilege(a.oid, b.attnum, 'SELECT'),
  -- About how many rows: of the last analyze or as counted since, whichever says more. Neither
  -- reads a row or waits for a lock.
  (SELECT coalesce(pg_catalog.sum(
     greatest(c.reltuples::bigint, pg_catalog.pg_stat_get_live_tuples(c.oid), 0)), 0)::bigint
   FROM family AS f JOIN pg_catalog.pg_class AS c ON c.oid = f.oid
   WHERE f.number = a.number AND c.relkind = 'r')
FROM asked AS a
LEFT JOIN base AS b ON b.number = a.number AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_type AS d WHERE d.oid = b.type AND d.typtype = 'd')
ORDER BY a.number
