-- The lease and who asked for it; one row.
SELECT c.id, c.roles, c.reason, c.client, c.held,
  pg_catalog.to_timestamp(l.last_value / 1000.0),
  l.last_value > pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) * 1000
FROM migration_maintenance.lease AS l
LEFT JOIN migration_maintenance.closure AS c ON true
