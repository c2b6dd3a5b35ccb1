-- Of a mail that a sender was at when it ended nobody knows whether it arrived.
WITH lease AS (SELECT FROM migration_mail.sender WHERE epoch = %(epoch)s FOR SHARE)
UPDATE migration_mail.mail
SET state = 'in doubt', doubts = doubts + 1, settled_at = pg_catalog.clock_timestamp(),
  reason = 'the sender ended before the answer to the final dot'
WHERE state = 'sending' AND EXISTS (SELECT FROM lease)
