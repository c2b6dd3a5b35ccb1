-- Version 4: the ranges of a batch step that several workers do.
CREATE TABLE migration_control.batch_range (
  run_id bigint NOT NULL REFERENCES migration_control.run,
  step text NOT NULL,
  number integer NOT NULL,
  after_key bigint NOT NULL,
  upto_key bigint NOT NULL,
  last_key bigint NOT NULL,
  rows bigint NOT NULL,
  batches integer NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'done')),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seal text NOT NULL,
  PRIMARY KEY (run_id, step, number)
);
DO $$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT a.grantee FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    WHERE c.oid = 'migration_control.batch_range'::pg_catalog.regclass AND a.grantee <> c.relowner
    GROUP BY a.grantee
  LOOP
    EXECUTE pg_catalog.format(
      'REVOKE ALL ON TABLE migration_control.batch_range FROM %s',
      CASE target.grantee WHEN 0 THEN 'PUBLIC'
        ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(target.grantee)) END);
  END LOOP;
END
$$;
UPDATE migration_control.ledger SET version = 4;
