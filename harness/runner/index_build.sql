-- What sessions that work for a runner build an index in, and how far they are; NULL where hidden.
SELECT phase, lockers_done, lockers_total, current_locker_pid, blocks_done, blocks_total,
  tuples_done, tuples_total
FROM pg_catalog.pg_stat_progress_create_index
WHERE pid = ANY(%s) AND datname = pg_catalog.current_database()
ORDER BY phase NULLS LAST
LIMIT 1
