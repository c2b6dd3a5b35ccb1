WITH worker AS MATERIALIZED (
  SELECT a.xact_start FROM pg_catalog.pg_stat_get_activity(:pid) AS a
  -- one that waits for its standby has committed already, and one that is idle cannot be cancelled
  WHERE a.state = 'active' AND a.wait_event IS DISTINCT FROM 'SyncRep'
), waiting AS MATERIALIZED (
  SELECT l.pid, pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()
    - pg_catalog.min(greatest(l.waitstart, w.xact_start))) AS seconds
  FROM pg_catalog.pg_locks AS l CROSS JOIN worker AS w
  WHERE NOT l.granted AND l.pid <> :pid AND w.xact_start IS NOT NULL AND l.waitstart IS NOT NULL
  GROUP BY l.pid
), victim AS MATERIALIZED (
  SELECT v.pid, a.application_name, v.seconds
  FROM waiting AS v JOIN pg_catalog.pg_stat_activity AS a ON a.pid = v.pid
  WHERE CASE WHEN v.seconds >= :strike AND a.application_name NOT LIKE 'harness %'
    THEN :pid = ANY (pg_catalog.pg_blocking_pids(v.pid)) ELSE false END
  ORDER BY v.seconds DESC LIMIT 1
)
SELECT pid, application_name, seconds FROM victim WHERE pg_catalog.pg_cancel_backend(:pid)
