-- What stands around a database in the catalogs that all databases share.
SELECT pg_catalog.pg_get_userbyid(d.datdba) AS owner, d.datconnlimit AS connections,
  pg_catalog.shobj_description(d.oid, 'pg_database') AS comment, t.spcname AS tablespace,
  CASE WHEN d.datacl IS NOT NULL THEN (
    SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
        CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee) END,
        a.privilege_type, a.is_grantable)), '[]')
    FROM pg_catalog.aclexplode(d.datacl) AS a) END AS privileges,
  (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
      CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole) END, one.value)
      ORDER BY s.setrole, one.place), '[]')
    FROM pg_catalog.pg_db_role_setting AS s,
      LATERAL unnest(s.setconfig) WITH ORDINALITY AS one (value, place)
    WHERE s.setdatabase = d.oid) AS settings
FROM pg_catalog.pg_database AS d
JOIN pg_catalog.pg_tablespace AS t ON t.oid = d.dattablespace
WHERE d.datname = %s
