SELECT c.oid::bigint, n.nspname || '.' || c.relname,
  pg_catalog.pg_relation_filenode(c.oid)::bigint, coalesce(pg_catalog.pg_relation_size(c.oid), 0),
  coalesce(pg_catalog.pg_stat_get_tuples_returned(c.oid), 0),
  coalesce(pg_catalog.pg_stat_get_tuples_updated(c.oid), 0)
    + coalesce(pg_catalog.pg_stat_get_tuples_deleted(c.oid), 0)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_'
  AND n.nspname NOT IN ('information_schema', 'harness_dry_run')
  AND c.relname <> ALL (%(without)s) AND n.nspname || '.' || c.relname <> ALL (%(without)s)
-- ===
SELECT l.relation::bigint, l.mode FROM pg_catalog.pg_locks AS l
WHERE l.pid = %(pid)s AND l.locktype = 'relation' AND l.granted
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
-- ===
SELECT pid FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
  AND application_name NOT IN ('dry run watch', 'dry run sampler')
-- ===
SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn,
  (SELECT temp_bytes FROM pg_catalog.pg_stat_database WHERE datname = current_database())
-- ===
SELECT pg_catalog.current_setting('track_counts')::boolean
