-- Every type, with what it is made of.
SELECT t.oid::int8, n.nspname, t.typname,
  CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN 'a' ELSE t.typtype::text END,
  t.typelem::int8, t.typbasetype::int8, t.typtypmod,
  pg_catalog.format_type(t.typbasetype, t.typtypmod), t.typnotnull,
  COALESCE(r.rngsubtype, m.rngsubtype, 0)::int8,
  ARRAY(
    SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
    WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder
  )
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_catalog.pg_range m ON m.rngmultitypid = t.oid
