-- Columns in their order, with the sequence that an identity or a default takes values from.
SELECT a.attrelid::int8, a.attname, a.atttypid::int8, a.atttypmod,
  pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
  CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(f.adbin, f.adrelid) END,
  s.seqrelid::int8, s.seqstart, s.seqincrement, s.seqmin, s.seqmax
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN LATERAL (
  SELECT q.* FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_sequence q ON
    CASE WHEN a.attidentity <> '' THEN q.seqrelid = d.objid ELSE q.seqrelid = d.refobjid END
  WHERE CASE WHEN a.attidentity <> '' THEN
      d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'i'
    ELSE
      d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'n'
      AND a.attgenerated = ''
      AND pg_catalog.pg_get_expr(f.adbin, f.adrelid) LIKE '%%nextval(%%'
    END
  LIMIT 1
) s ON true
WHERE a.attrelid = ANY (%(tables)s::int8[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
