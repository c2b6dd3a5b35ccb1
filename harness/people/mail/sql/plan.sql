-- One mail to each recipient. What tells of a run is told once, whatever the window's revision is.
INSERT INTO migration_mail.mail
  (window_id, revision, kind, run_id, recipient, address, name, zone, message_id,
   due_at, deadline, next_try_at)
SELECT %(window)s, %(revision)s, %(kind)s, %(run)s, r.key, r.address, r.name, r.zone, r.id,
  %(due)s, %(deadline)s, %(due)s
FROM ROWS FROM (
  pg_catalog.unnest(%(keys)s::text[]), pg_catalog.unnest(%(addresses)s::text[]),
  pg_catalog.unnest(%(names)s::text[]), pg_catalog.unnest(%(zones)s::text[]),
  pg_catalog.unnest(%(ids)s::text[])
) AS r (key, address, name, zone, id)
WHERE NOT EXISTS (
  SELECT FROM migration_mail.mail AS m
  WHERE m.window_id = %(window)s AND m.kind = %(kind)s AND m.run_id = %(run)s
    AND m.recipient = r.key AND (m.revision = %(revision)s OR m.run_id > 0)
)
ON CONFLICT DO NOTHING
