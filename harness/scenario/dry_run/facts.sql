-- Built-in functions, and whether one of the name is volatile.
SELECT p.proname, bool_or(p.provolatile = 'v')
FROM pg_catalog.pg_proc AS p
WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e')
GROUP BY p.proname
-- ===
-- All others, with their definitions.
SELECT n.nspname, p.proname, l.lanname, x.extname,
  CASE WHEN x.extname IS NOT NULL THEN ''
    WHEN p.prokind = 'a' THEN (SELECT pg_catalog.concat_ws(' ', a.aggtransfn, nullif(a.aggfinalfn, 0),
        nullif(a.aggcombinefn, 0), nullif(a.aggserialfn, 0), nullif(a.aggdeserialfn, 0),
        nullif(a.aggmtransfn, 0), nullif(a.aggminvtransfn, 0), nullif(a.aggmfinalfn, 0))
      FROM pg_catalog.pg_aggregate AS a WHERE a.aggfnoid = p.oid)
    WHEN l.lanname = 'internal' THEN p.prosrc
    WHEN l.lanname IN ('sql', 'plpgsql') THEN pg_catalog.pg_get_functiondef(p.oid)
    ELSE '' END
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_depend AS d
  ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension AS x ON x.oid = d.refobjid
WHERE n.nspname <> 'information_schema' AND (n.nspname <> 'pg_catalog' OR x.oid IS NOT NULL)
  AND x.extname IS DISTINCT FROM 'plpgsql'
-- ===
-- What depends on a function runs it: triggers, defaults, policies, views, indexes, constraints, types …;
-- what an extension brings is run only by what uses it.
SELECT DISTINCT n.nspname, p.proname,
  pg_catalog.pg_describe_object(d.classid, d.objid, 0), c.relname
FROM pg_catalog.pg_depend AS d
JOIN pg_catalog.pg_proc AS p ON p.oid = d.refobjid
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
LEFT JOIN pg_catalog.pg_trigger AS t
  ON d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND t.oid = d.objid
LEFT JOIN pg_catalog.pg_attrdef AS a
  ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND a.oid = d.objid
LEFT JOIN pg_catalog.pg_policy AS o
  ON d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND o.oid = d.objid
LEFT JOIN pg_catalog.pg_rewrite AS r
  ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
LEFT JOIN pg_catalog.pg_constraint AS k
  ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.objid
LEFT JOIN pg_catalog.pg_index AS i
  ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.indexrelid = d.objid
LEFT JOIN pg_catalog.pg_class AS c
  ON c.oid = coalesce(t.tgrelid, a.adrelid, o.polrelid, r.ev_class, nullif(k.conrelid, 0), i.indrelid)
WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype <> 'e'
  AND d.classid NOT IN ('pg_catalog.pg_proc'::pg_catalog.regclass,
    'pg_catalog.pg_extension'::pg_catalog.regclass,
    'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
    WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND t.tgenabled IS DISTINCT FROM 'D'
-- ===
-- A statement on the second may come to the first: referencing rows, children, what a view shows.
SELECT DISTINCT c.relname, r.relname
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid
WHERE k.contype = 'f' AND (k.confdeltype <> 'a' OR k.confupdtype <> 'a')
UNION
SELECT c.relname, r.relname FROM pg_catalog.pg_inherits AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid JOIN pg_catalog.pg_class AS r ON r.oid = i.inhparent
UNION
SELECT b.relname, v.relname FROM pg_catalog.pg_depend AS d
JOIN pg_catalog.pg_rewrite AS w ON w.oid = d.objid JOIN pg_catalog.pg_class AS v ON v.oid = w.ev_class
JOIN pg_catalog.pg_class AS b ON b.oid = d.refobjid
WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND b.oid <> v.oid
  AND b.relnamespace <> 'pg_catalog'::pg_catalog.regnamespace
-- ===
SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'f'
-- ===
SELECT relname FROM pg_catalog.pg_class WHERE relisshared AND relkind = 'r'
