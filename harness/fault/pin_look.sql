-- What the runner's backends wait for in this database, and how far an index has come.
SELECT a.pid, a.query_start::text, a.wait_event, l.locktype, l.mode, p.phase, a.query,
  CASE WHEN l.locktype = 'relation' THEN l.relation::regclass::text END,
  (SELECT ARRAY[i.indisvalid, i.indisready, i.indislive] FROM pg_catalog.pg_index AS i
   WHERE i.indexrelid = pg_catalog.to_regclass(%(index)s))
FROM pg_catalog.pg_stat_activity AS a
LEFT JOIN pg_catalog.pg_locks AS l ON l.pid = a.pid AND NOT l.granted
LEFT JOIN pg_catalog.pg_stat_progress_create_index AS p ON p.pid = a.pid
WHERE a.datname = pg_catalog.current_database() AND a.application_name LIKE 'harness %%'
  AND a.state = 'active' AND a.wait_event IS NOT NULL
