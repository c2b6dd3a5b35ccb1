-- The mark before the final dot, and the lease that goes with it: one commit.
WITH lease AS (
  UPDATE migration_mail.sender
  SET claims = claims + 1,
    lease_until = pg_catalog.clock_timestamp() + %(seconds)s * interval '1 second'
  WHERE epoch = %(epoch)s AND lease_until > pg_catalog.clock_timestamp()
  RETURNING claims
), marked AS (
  UPDATE migration_mail.mail
  SET state = 'sending', tries = tries + 1, dated = coalesce(dated, %(now)s)
  WHERE id = %(id)s AND state IN ('planned', 'in doubt') AND EXISTS (SELECT FROM lease)
  RETURNING id
)
SELECT lease.claims FROM lease, marked
