-- Keep the lease, as long as it is held.
UPDATE migration_mail.sender
SET lease_until = pg_catalog.clock_timestamp() + %(seconds)s * interval '1 second'
WHERE epoch = %(epoch)s AND lease_until > pg_catalog.clock_timestamp()
RETURNING epoch
