-- What became of a mail; nothing where another sender has the lease by now. One that may have
-- arrived once stays in doubt until an answer says that it has.
WITH lease AS (SELECT FROM migration_mail.sender WHERE epoch = %(epoch)s FOR SHARE)
UPDATE migration_mail.mail
SET state = CASE WHEN %(state)s = 'planned' AND doubts > 0 THEN 'in doubt' ELSE %(state)s END,
  reason = %(reason)s, next_try_at = %(next)s,
  tries = tries + CASE WHEN state = 'sending' THEN 0 ELSE 1 END,
  doubts = doubts + CASE WHEN %(state)s = 'in doubt' THEN 1 ELSE 0 END,
  settled_at = CASE WHEN %(state)s = 'planned' THEN NULL ELSE %(now)s::timestamptz END
WHERE id = %(id)s AND state IN ('planned', 'sending', 'in doubt') AND EXISTS (SELECT FROM lease)
