-- What may be sent now: nothing behind a delivery of the same key that waits for its next attempt.
SELECT d.seq, d.key, e.id, e.body, d.attempts
FROM migration_outbox.delivery AS d JOIN migration_outbox.event AS e ON e.seq = d.seq
WHERE d.endpoint = %(endpoint)s AND d.state = 'pending' AND d.seq <= %(last)s
  AND d.key <> ALL (%(held)s::text[])
  AND NOT EXISTS (
    SELECT FROM migration_outbox.delivery AS b
    WHERE b.endpoint = d.endpoint AND b.key = d.key AND b.state = 'pending' AND b.seq <= d.seq
      AND b.next_at > pg_catalog.clock_timestamp())
ORDER BY d.seq
LIMIT %(limit)s
