-- Client sessions of the application's roles in this database, without our own; `busy`: only those at
-- work or in a transaction. Of what a role may not see, start, kind and state are NULL.
SELECT a.pid, a.backend_start, a.usename::text, coalesce(a.application_name, '')
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = pg_catalog.current_database() AND a.usename = ANY(%(actors)s)
  AND coalesce(a.backend_type, 'client backend') = 'client backend'
  AND a.pid <> pg_catalog.pg_backend_pid()
  AND (NOT %(busy)s OR a.state IS DISTINCT FROM 'idle')
