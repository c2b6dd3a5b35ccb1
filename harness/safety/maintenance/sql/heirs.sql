-- Roles that write with an application role's rights under their own name: the barrier lets them pass.
SELECT DISTINCT m.rolname::text
FROM pg_catalog.pg_roles AS a
JOIN pg_catalog.pg_roles AS m ON m.oid <> a.oid AND NOT m.rolsuper AND m.rolcanlogin
  AND m.rolname <> session_user AND pg_catalog.pg_has_role(m.oid, a.oid, 'USAGE')
WHERE a.rolname = ANY(%(roles)s) AND m.rolname <> ALL (%(roles)s)
ORDER BY 1
