-- What stands around the tables that a plan writes and alters; changes nothing. One row a remark:
-- its kind, the object by name, and what it does there.
WITH RECURSIVE relation AS (
  SELECT c.oid, c.relkind, c.reltype, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relowner,
    n.nspname || '.' || c.relname AS name, n.nspname, c.relname
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), altered AS (
  SELECT * FROM relation WHERE name = ANY(%(alters)s)
), family AS ( -- a statement on a table reaches its children and partitions
  SELECT r.oid AS top, r.oid FROM relation AS r WHERE r.name = ANY(%(written)s)
  UNION
  SELECT f.top, i.inhrelid FROM family AS f JOIN pg_catalog.pg_inherits AS i ON i.inhparent = f.oid
), written AS (
  SELECT DISTINCT r.*, t.name AS top FROM family AS f
  JOIN relation AS r ON r.oid = f.oid JOIN relation AS t ON t.oid = f.top
), made AS (
  SELECT * FROM ROWS FROM (
    pg_catalog.unnest(%(kinds)s::text[]), pg_catalog.unnest(%(places)s::text[]),
    pg_catalog.unnest(%(names)s::text[]), pg_catalog.unnest(%(arguments)s::text[])
  ) AS m(kind, place, name, arguments)
)
-- triggers that a statement of the plan fires: no column list, or a column that is written
SELECT 'triggers' AS remark,
  pg_catalog.format('trigger %%I on %%s', t.tgname, r.name) AS object,
  pg_catalog.lower(w.event) AS detail
FROM pg_catalog.pg_trigger AS t
JOIN written AS r ON r.oid = t.tgrelid
JOIN ROWS FROM (
  pg_catalog.unnest(%(targets)s::text[]), pg_catalog.unnest(%(events)s::text[]),
  pg_catalog.unnest(%(columns)s::text[])
) AS w(relation, event, columns) ON w.relation = r.top
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgname <> 'migration_maintenance'
  AND t.tgtype & CASE w.event WHEN 'insert' THEN 4 WHEN 'delete' THEN 8 ELSE 16 END <> 0
  AND (w.event <> 'update' OR w.columns IS NULL OR pg_catalog.cardinality(t.tgattr::smallint[]) = 0
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
      WHERE a.attrelid = t.tgrelid AND a.attnum = ANY(t.tgattr::smallint[])
        AND a.attname = ANY(pg_catalog.string_to_array(w.columns, ','))))
  AND NOT EXISTS (SELECT FROM ROWS FROM (
      pg_catalog.unnest(%(known_on)s::text[]), pg_catalog.unnest(%(known)s::text[])
    ) AS k(relation, name) WHERE k.relation = r.name AND k.name = t.tgname)
UNION
SELECT 'rules', pg_catalog.format('rule %%I on %%s', w.rulename, r.name),
  CASE w.ev_type WHEN '2' THEN 'update' WHEN '3' THEN 'insert' ELSE 'delete' END
FROM pg_catalog.pg_rewrite AS w JOIN written AS r ON r.oid = w.ev_class
WHERE w.ev_type IN ('2', '3', '4') AND w.ev_enabled <> 'D'
  AND (r.name, CASE w.ev_type WHEN '2' THEN 'update' WHEN '3' THEN 'insert' ELSE 'delete' END) IN (
    SELECT e.relation, e.event FROM ROWS FROM (
      pg_catalog.unnest(%(targets)s::text[]), pg_catalog.unnest(%(events)s::text[])
    ) AS e(relation, event))
UNION
SELECT 'taken', CASE r.relkind WHEN 'i' THEN 'index ' WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view '
  WHEN 'm' THEN 'materialized view ' ELSE 'table ' END || r.name, 'made by the plan'
FROM made AS m JOIN relation AS r ON m.kind = 'relation' AND r.nspname = m.place AND r.relname = m.name
UNION
SELECT 'taken', 'type ' || n.nspname || '.' || t.typname, 'made by the plan'
FROM made AS m
JOIN pg_catalog.pg_type AS t ON m.kind IN ('type', 'relation') AND t.typname = m.name
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace AND n.nspname = m.place
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
WHERE c.relkind IS NULL OR m.kind = 'type'
UNION
SELECT 'taken', pg_catalog.format('column %%s.%%I', r.name, a.attname), 'added by the plan'
FROM made AS m JOIN relation AS r ON m.kind = 'column' AND r.name = m.place
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attname = m.name AND NOT a.attisdropped
UNION
SELECT 'taken', pg_catalog.format('constraint %%I on %%s', k.conname, r.name), 'added by the plan'
FROM made AS m JOIN relation AS r ON m.kind = 'constraint' AND r.name = m.place
JOIN pg_catalog.pg_constraint AS k ON k.conrelid = r.oid AND k.conname = m.name
UNION
SELECT 'taken', pg_catalog.format('trigger %%I on %%s', t.tgname, r.name), 'made by the plan'
FROM made AS m JOIN relation AS r ON m.kind = 'trigger' AND r.name = m.place
JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid AND t.tgname = m.name
UNION
SELECT 'taken', pg_catalog.format('policy %%I on %%s', p.polname, r.name), 'made by the plan'
FROM made AS m JOIN relation AS r ON m.kind = 'policy' AND r.name = m.place
JOIN pg_catalog.pg_policy AS p ON p.polrelid = r.oid AND p.polname = m.name
UNION
SELECT 'taken', 'function ' || p.oid::pg_catalog.regprocedure, 'made by the plan'
FROM made AS m
JOIN pg_catalog.pg_proc AS p ON m.kind = 'function' AND p.proname = m.name
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname = m.place
WHERE m.arguments = coalesce((
  SELECT pg_catalog.string_agg(t.typname, ',' ORDER BY u.place)
  FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS u(type, place)
  JOIN pg_catalog.pg_type AS t ON t.oid = u.type), '')
UNION
SELECT 'row_type', pg_catalog.format('column %%s.%%I', r.name, a.attname), 'is a row of ' || t.name
FROM altered AS t
JOIN pg_catalog.pg_type AS y ON y.oid = t.reltype
JOIN pg_catalog.pg_attribute AS a ON a.atttypid IN (y.oid, y.typarray) AND NOT a.attisdropped
JOIN relation AS r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p', 'm') AND r.oid <> t.oid
UNION
SELECT 'kind', CASE relkind WHEN 'p' THEN 'partitioned table ' ELSE 'foreign table ' END || name,
  'the plan alters it as a table'
FROM altered WHERE relkind IN ('p', 'f')
UNION
SELECT 'children', 'table ' || c.name, 'inherits from ' || t.name
FROM altered AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
JOIN relation AS c ON c.oid = i.inhrelid
WHERE t.relkind = 'r'
UNION
SELECT 'row_security', 'table ' || t.name, 'FORCE ROW LEVEL SECURITY'
FROM (SELECT name, relrowsecurity, relforcerowsecurity FROM written
  UNION SELECT name, relrowsecurity, relforcerowsecurity FROM altered) AS t
JOIN pg_catalog.pg_roles AS o ON o.rolname = current_user AND NOT o.rolsuper AND NOT o.rolbypassrls
WHERE t.relrowsecurity AND t.relforcerowsecurity
UNION
SELECT 'replica_identity', 'table ' || r.name, 'published by ' || p.pubname
FROM written AS r
JOIN pg_catalog.pg_publication AS p ON p.pubupdate OR p.pubdelete
WHERE (p.puballtables OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS m
    WHERE m.prpubid = p.oid AND m.prrelid = r.oid))
  AND r.top IN (SELECT e.relation FROM ROWS FROM (
      pg_catalog.unnest(%(targets)s::text[]), pg_catalog.unnest(%(events)s::text[])
    ) AS e(relation, event) WHERE e.event <> 'insert')
  AND (r.relreplident = 'n' OR r.relreplident = 'd' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = r.oid AND i.indisprimary))
UNION
SELECT 'publications', 'publication ' || p.pubname, 'filters rows or columns of ' || r.name
FROM written AS r
JOIN pg_catalog.pg_publication_rel AS m ON m.prrelid = r.oid
JOIN pg_catalog.pg_publication AS p ON p.oid = m.prpubid
WHERE pg_catalog.to_jsonb(m) ->> 'prqual' IS NOT NULL OR pg_catalog.to_jsonb(m) ->> 'prattrs' IS NOT NULL
UNION
SELECT 'event_triggers', 'event trigger ' || e.evtname, e.evtevent
FROM pg_catalog.pg_event_trigger AS e
WHERE e.evtenabled IN ('O', 'A') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
  WHERE d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AND d.objid = e.oid AND d.deptype = 'e')
UNION
SELECT 'archive', 'schema ' || n.nspname, 'a rollback keeps rows there, and the clean-up drops it whole'
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname = 'migration_archive' AND NOT %(has_ledger)s
ORDER BY 1, 2, 3
