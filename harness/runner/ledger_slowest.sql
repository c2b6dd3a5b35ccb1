-- The slowest steps of a run: from the beginning of each to its last checkpoint.
SELECT step, pg_catalog.date_part('epoch', updated_at - started_at)::float8
FROM migration_control.step WHERE run_id = %s ORDER BY 2 DESC, 1 LIMIT %s
