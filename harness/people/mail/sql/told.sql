-- Who got a mail of an earlier revision, or may have got one; by what they were called last.
SELECT DISTINCT ON (recipient) address, name, zone
FROM migration_mail.mail
WHERE window_id = %s AND revision < %s AND (state = 'sent' OR doubts > 0 OR state = 'sending')
ORDER BY recipient, id DESC
