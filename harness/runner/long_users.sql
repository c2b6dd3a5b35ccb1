SELECT l.virtualtransaction, l.pid,
  CASE l.relation WHEN i.indrelid THEN i.indrelid::pg_catalog.regclass::text ELSE n.name END,
  a.application_name, a.state,
  pg_catalog.date_part('epoch',
    pg_catalog.clock_timestamp() - coalesce(p.prepared, a.xact_start)), p.gid,
  pg_catalog.quote_ident(current_user)
FROM (VALUES {wanted}) AS n (name, stops)
JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(n.name)
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
JOIN pg_catalog.pg_locks AS l ON l.relation IN (c.oid, i.indrelid)
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
LEFT JOIN pg_catalog.pg_prepared_xacts AS p
  ON l.pid IS NULL AND l.virtualtransaction = '-1/' || p.transaction::text
WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND (n.stops = 'everything' OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
  -- an autovacuum gives way by itself, unless it prevents a wraparound
  AND (l.pid IS NULL OR a.usesysid IS NOT NULL OR a.query LIKE '%to prevent wraparound%')
  AND (l.pid IS NULL OR a.xact_start IS NULL OR a.application_name LIKE 'pg_dump%'
    OR a.xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => {seconds}))
UNION ALL
-- An index that is built concurrently waits for every older snapshot in the database, too.
SELECT v.virtualtransaction, a.pid, 'a snapshot', a.application_name, a.state,
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.xact_start), NULL,
  pg_catalog.quote_ident(current_user)
FROM pg_catalog.pg_stat_activity AS a
JOIN pg_catalog.pg_locks AS v ON v.pid = a.pid AND v.locktype = 'virtualxid' AND v.granted
  AND v.virtualxid = v.virtualtransaction
WHERE {snapshots} AND a.datname = current_database() AND a.backend_xmin IS NOT NULL
  AND a.pid <> pg_catalog.pg_backend_pid() AND a.usesysid IS NOT NULL
  AND (a.xact_start IS NULL OR a.application_name LIKE 'pg_dump%'
    OR a.xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => {seconds}))
  -- a vacuum and another build of this kind are not waited for
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum AS p WHERE p.pid = a.pid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.pid = a.pid)
ORDER BY 6 DESC NULLS LAST, 2, 3;
