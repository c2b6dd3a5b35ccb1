-- Skip what is planned of an occasion, for all or for some.
UPDATE migration_mail.mail
SET state = 'skipped', reason = %(reason)s, settled_at = pg_catalog.clock_timestamp()
WHERE window_id = %(window)s AND kind = %(kind)s AND run_id = %(run)s AND state = 'planned'
  AND (revision = %(revision)s OR run_id > 0)
  AND (%(keys)s::text[] IS NULL OR recipient = ANY (%(keys)s::text[]))
