-- Sessions that work for a runner and wait for a lock, for how long, and who is in their way.
SELECT a.pid,
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()
    - coalesce(l.waitstart, a.state_change))::float8,
  (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', 'process', b.pid, b.usename,
      '(' || coalesce(b.state, 'hidden') || ')'), ', ' ORDER BY b.pid)
   FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) AS w(pid)
   LEFT JOIN pg_catalog.pg_stat_activity AS b ON b.pid = w.pid)
FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE NOT l.granted AND l.pid = ANY(%s)
ORDER BY 2 DESC
