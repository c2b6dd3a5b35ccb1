-- Who replays this server's WAL: one row for each that has said how far it came, or one without.
SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'),
  pg_catalog.quote_ident(current_user),
  pg_catalog.current_setting('max_wal_senders')::integer > 0,
  -- A slot that holds WAL for a standby which is away. One that was never used holds none.
  (SELECT pg_catalog.array_agg(s.slot_name::text ORDER BY s.slot_name)
   FROM pg_catalog.pg_replication_slots AS s
   WHERE s.slot_type = 'physical' AND NOT s.active AND NOT s.temporary
     AND s.restart_lsn IS NOT NULL),
  r.pid,
  r.application_name::text,
  pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), r.replay_lsn)::bigint,
  r.reply_time::text,
  -- A subscriber comes and goes with its subscription: its lag counts, its absence does not.
  EXISTS (SELECT FROM pg_catalog.pg_replication_slots AS s
    WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
FROM (VALUES (1)) AS one
LEFT JOIN pg_catalog.pg_stat_replication AS r ON r.replay_lsn IS NOT NULL
