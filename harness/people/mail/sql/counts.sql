-- How the mails of a window stand.
SELECT m.revision, m.kind, m.state, m.reason, count(*)::integer AS mails
FROM migration_mail.mail AS m WHERE m.window_id = %s
GROUP BY m.revision, m.kind, m.state, m.reason
ORDER BY m.revision, min(m.due_at), m.kind, m.state, m.reason
