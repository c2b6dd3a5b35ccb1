-- The next mails of the occasions that are open; one in doubt only where its kind repeats.
SELECT m.id, m.revision, m.kind, m.run_id, m.address, m.name, m.zone, m.message_id, m.deadline,
  m.tries, m.doubts, m.dated
FROM migration_mail.mail AS m
JOIN ROWS FROM (
  pg_catalog.unnest(%(kinds)s::text[]), pg_catalog.unnest(%(runs)s::bigint[]),
  pg_catalog.unnest(%(repeats)s::boolean[])
) AS o (kind, run_id, repeats) ON o.kind = m.kind AND o.run_id = m.run_id
WHERE m.window_id = %(window)s AND (m.revision = %(revision)s OR m.run_id > 0)
  AND (m.state = 'planned' OR (m.state = 'in doubt' AND o.repeats))
  AND m.due_at <= %(now)s AND m.next_try_at <= %(now)s AND m.deadline > %(now)s
ORDER BY m.due_at, m.id
LIMIT 200
