-- Take in a revision of a window, and read what it was when it was first seen.
WITH made AS (
  INSERT INTO migration_mail.schedule AS s
    (window_id, revision, starts_at, ends_at, cancelled, seen_at)
  VALUES (%(window)s, %(revision)s, %(start)s, %(end)s, %(cancelled)s, %(now)s)
  ON CONFLICT (window_id, revision) DO NOTHING
  RETURNING s.starts_at, s.ends_at, s.cancelled, s.seen_at
)
SELECT starts_at, ends_at, cancelled, seen_at FROM made
UNION ALL
SELECT starts_at, ends_at, cancelled, seen_at FROM migration_mail.schedule
WHERE window_id = %(window)s AND revision = %(revision)s
