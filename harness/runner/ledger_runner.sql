-- The run's runner, and how long the statement has run that its sessions execute now.
SELECT r.client, pg_catalog.date_part('epoch', r.lock_backend_start)::float8,
  (SELECT pg_catalog.max(pg_catalog.date_part('epoch',
     pg_catalog.clock_timestamp() - a.query_start))::float8
   FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = ANY(%(workers)s) AND a.state = 'active')
FROM migration_control.run AS r WHERE r.id = %(run)s
