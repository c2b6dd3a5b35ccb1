-- What is planned of an older revision or of an earlier run is skipped; what is past its deadline is
-- skipped, or has failed where it was tried.
UPDATE migration_mail.mail
SET settled_at = pg_catalog.clock_timestamp(),
  state = CASE WHEN deadline <= %(now)s AND tries + doubts > 0 THEN 'failed' ELSE 'skipped' END,
  reason = CASE
    WHEN deadline > %(now)s AND run_id > 0 THEN 'another run has begun since'
    WHEN deadline > %(now)s THEN 'the window is another one: revision ' || %(revision)s::text
    WHEN tries + doubts > 0 THEN 'given up at its deadline: ' || reason
    ELSE 'too late: the sender ran after its deadline' END
WHERE window_id = %(window)s AND state = 'planned'
  AND (deadline <= %(now)s
    OR (run_id = 0 AND revision < %(revision)s)
    OR (run_id > 0 AND run_id <> %(run)s))
