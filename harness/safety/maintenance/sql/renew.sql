-- Renew the lease of this closure, never to an earlier end; no row when it was taken away.
-- The second column: when the lease ended if it had ended already, else NULL.
SELECT pg_catalog.setval('migration_maintenance.lease', greatest(l.last_value, w.until)),
  CASE WHEN l.last_value <= w.now THEN pg_catalog.to_timestamp(l.last_value / 1000.0) END,
  pg_catalog.to_timestamp(w.now / 1000.0)
FROM migration_maintenance.lease AS l
CROSS JOIN (SELECT t.now, t.now + %(lease)s::bigint AS until FROM (SELECT
  (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) * 1000)::bigint AS now) AS t) AS w
WHERE EXISTS (SELECT FROM migration_maintenance.closure AS c WHERE c.id = %(id)s)
