-- The named roles: whether each is there, is a superuser, and is the one that asks.
SELECT w.name, r.oid IS NOT NULL, coalesce(r.rolsuper, false), coalesce(r.rolcanlogin, false),
  w.name IN (session_user, current_user)
FROM pg_catalog.unnest(%(roles)s::text[]) AS w(name)
LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = w.name
ORDER BY w.name
