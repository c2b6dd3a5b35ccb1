-- Whose sessions may write as an application role: its own and, where it may not log in, those of the
-- roles that may become it. Superusers and whoever asks are not the application.
SELECT r.rolname::text
FROM pg_catalog.pg_roles AS r
WHERE NOT r.rolsuper AND r.rolname <> ALL (ARRAY[session_user, current_user]::text[])
  AND (r.rolname = ANY(%(roles)s)
    OR r.rolcanlogin AND EXISTS (SELECT FROM pg_catalog.pg_roles AS a
      WHERE a.rolname = ANY(%(roles)s) AND NOT a.rolcanlogin
        AND pg_catalog.pg_has_role(r.oid, a.oid, 'MEMBER')))
ORDER BY 1
