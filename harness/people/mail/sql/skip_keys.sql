-- Skip what is planned for some.
UPDATE migration_mail.mail
SET state = 'skipped', reason = %s, settled_at = pg_catalog.clock_timestamp()
WHERE window_id = %s AND state = 'planned' AND recipient = ANY (%s)
