-- What a look at the server and the database tells before a plan starts; changes nothing.
SELECT
  pg_catalog.current_setting('server_version_num')::int / 10000 AS postgres,
  pg_catalog.pg_is_in_recovery() AS standby,
  -- of the role and the database: this transaction itself reads only
  (SELECT s.reset_val FROM pg_catalog.pg_settings AS s
   WHERE s.name = 'default_transaction_read_only') = 'on' AS read_only,
  (SELECT s.reset_val FROM pg_catalog.pg_settings AS s
   WHERE s.name = 'session_replication_role') <> 'origin' AS no_triggers,
  current_user::text AS role,
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create,
  (SELECT pg_catalog.array_agg(n.nspname || '.' || c.relname ORDER BY n.nspname, c.relname)
   FROM pg_catalog.pg_class AS c
   JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE n.nspname || '.' || c.relname = ANY(%(alters)s)
     AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')) AS not_owned,
  (SELECT pg_catalog.array_agg(w.name ORDER BY w.name)
   FROM pg_catalog.unnest(%(extensions)s::text[]) AS w(name)
   WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE e.extname = w.name))
    AS missing_extensions,
  (SELECT pg_catalog.array_agg(w.name ORDER BY w.name)
   FROM pg_catalog.unnest(%(roles)s::text[]) AS w(name)
   WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS p WHERE p.rolname = w.name))
    AS missing_roles,
  (SELECT pg_catalog.array_agg(pg_catalog.format('%%s, %%s, %%s', s.slot_name, s.slot_type,
     CASE WHEN s.active THEN 'active' ELSE 'inactive' END) ORDER BY s.slot_name)
   FROM pg_catalog.pg_replication_slots AS s
   WHERE NOT s.temporary
     AND (NOT s.active OR s.database = pg_catalog.current_database())) AS slots,
  (SELECT pg_catalog.array_agg(pg_catalog.format('%%L of %%s, %%s old', p.gid, p.owner,
     pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - p.prepared)) ORDER BY p.prepared)
   FROM pg_catalog.pg_prepared_xacts AS p
   WHERE p.database = pg_catalog.current_database()) AS prepared,
  (SELECT pg_catalog.array_agg(pg_catalog.format('pid %%s of %%s, %%s old', a.pid, a.usename,
     pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.xact_start))
     ORDER BY a.xact_start)
   FROM pg_catalog.pg_stat_activity AS a
   WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
     AND a.backend_type = 'client backend'
     AND a.xact_start < pg_catalog.clock_timestamp()
       - pg_catalog.make_interval(secs => %(long)s)) AS long_transactions,
  (SELECT pg_catalog.array_agg(i.indexrelid::pg_catalog.regclass::text ORDER BY i.indexrelid)
   FROM pg_catalog.pg_index AS i
   JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
   WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
     AND c.relkind <> 'p'  -- of a partitioned table: valid only when every partition has it
     AND c.relnamespace::pg_catalog.regnamespace::text !~ '^(pg_|information_schema)')
    AS invalid_indexes,
  (SELECT pg_catalog.array_agg(pg_catalog.format('%%s on %%s', o.conname,
     o.conrelid::pg_catalog.regclass) ORDER BY o.conname)
   FROM pg_catalog.pg_constraint AS o
   WHERE NOT o.convalidated AND o.conrelid <> 0) AS unvalidated,
  -- the row is hidden from a role that may not know it
  (SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name = 'data_directory')
    AS data_directory,
  EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())::bigint AS started,
  r.rolsuper OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS sees_activity,
  -- by name in the catalog: to_regclass is an error for a role that may not use the schema
  EXISTS (SELECT FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = {ledger_schema_name} AND c.relname = 'run') AS has_ledger
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = current_user
