-- The transactions that have locked tables so that nobody may put a trigger on them: they wrote there.
SELECT l.pid, l.virtualtransaction, a.backend_start, coalesce(a.usename::text, 'prepared'),
  coalesce(a.backend_type, 'prepared transaction'),
  pg_catalog.min(n.nspname || '.' || c.relname)
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY(%(tables)s::oid[])
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')
  AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1
