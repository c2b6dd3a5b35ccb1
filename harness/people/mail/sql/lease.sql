-- Take the lease: free, over, or held by the same holder, who was ended before it could free it.
UPDATE migration_mail.sender
SET holder = %(holder)s, epoch = epoch + 1,
  lease_until = pg_catalog.clock_timestamp() + %(seconds)s * interval '1 second'
WHERE key_hash = %(hash)s AND claims >= %(claims)s
  AND (lease_until < pg_catalog.clock_timestamp() OR holder = %(holder)s)
RETURNING epoch
