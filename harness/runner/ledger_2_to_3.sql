-- Version 3: the operator's hand on a run.
CREATE TABLE migration_control.control (
  run_id bigint NOT NULL REFERENCES migration_control.run,
  key text NOT NULL,
  value text NOT NULL,
  epoch bigint NOT NULL,
  until timestamptz NOT NULL,
  set_by text NOT NULL,
  set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, key)
);
ALTER TABLE migration_control.control ENABLE ROW LEVEL SECURITY;
DO $$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT a.grantee FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    WHERE c.oid = 'migration_control.control'::pg_catalog.regclass AND a.grantee <> c.relowner
    GROUP BY a.grantee
  LOOP
    EXECUTE pg_catalog.format(
      'REVOKE ALL ON TABLE migration_control.control FROM %s',
      CASE target.grantee WHEN 0 THEN 'PUBLIC'
        ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(target.grantee)) END);
  END LOOP;
END
$$;
UPDATE migration_control.ledger SET version = 3;
