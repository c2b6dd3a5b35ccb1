-- What the transaction at hand holds and did so far, of the relations that stood before it.
SELECT
  (SELECT pg_catalog.jsonb_object_agg(l.relation::text || ' ' || l.mode, true)
   FROM pg_catalog.pg_locks l
   WHERE l.pid = pg_catalog.pg_backend_pid() AND l.granted AND l.locktype = 'relation'
     AND l.relation = ANY (%(known)s::oid[])),
  (SELECT pg_catalog.jsonb_object_agg(c.oid::text, c.relfilenode::text)
   FROM pg_catalog.pg_class c WHERE c.oid = ANY (%(known)s::oid[]) AND c.relkind IN ('r', 'm')),
  (SELECT pg_catalog.jsonb_object_agg(s.relid::text, pg_catalog.jsonb_build_array(
     s.seq_tup_read, s.n_tup_upd + s.n_tup_del, s.n_tup_ins))
   FROM pg_catalog.pg_stat_xact_user_tables s WHERE s.relid = ANY (%(known)s::oid[]))
