-- Version tables: schema, name, whether they were named by a person, columns that may tell.
-- Columns that hold times, durations or keys drawn from a sequence differ from run to run.
SELECT n.nspname, c.relname, NOT c.relname = ANY (%(known)s) AS by_name,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum)
         FILTER (WHERE c.relname = ANY (%(known)s)
           OR (t.typcategory NOT IN ('D', 'T') AND a.attidentity = ''
               AND pg_catalog.pg_get_serial_sequence(
                     pg_catalog.format('%%I.%%I', n.nspname, c.relname), a.attname) IS NULL))
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
 WHERE c.relkind IN ('r', 'p')
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND (c.relname = ANY (%(known)s)
        OR pg_catalog.format('%%s.%%s', n.nspname, c.relname) = ANY (%(named)s))
 GROUP BY 1, 2, 3
 ORDER BY 1, 2
