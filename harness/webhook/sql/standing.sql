-- How an endpoint stands: what is owed to it, and in how many seconds the next of that is due.
SELECT e.disabled_at IS NOT NULL, coalesce(e.disabled_for, ''), e.failures,
  greatest(0, date_part('epoch', e.rests_until - clock_timestamp()), 0),
  (SELECT count(*) FROM migration_outbox.delivery AS d
    WHERE d.endpoint = e.name AND d.state = 'pending'),
  (SELECT greatest(0, date_part('epoch', min(d.next_at) - clock_timestamp()))
    FROM migration_outbox.delivery AS d WHERE d.endpoint = e.name AND d.state = 'pending')
FROM migration_outbox.endpoint AS e WHERE e.name = %s
