-- The CHECK constraints of domains.
SELECT c.contypid::int8, c.conname, pg_catalog.pg_get_expr(c.conbin, 0)
FROM pg_catalog.pg_constraint c
WHERE c.contypid <> 0 AND c.contype = 'c'
ORDER BY c.contypid, c.conname COLLATE "C"
