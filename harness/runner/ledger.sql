-- The ledger of the migration harness, version 4. Made in one transaction with the first run.
CREATE SCHEMA migration_control;
COMMENT ON SCHEMA migration_control IS 'ledger of the migration harness; do not change by hand';

CREATE TABLE migration_control.ledger (
  version integer PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO migration_control.ledger (version) VALUES (4);

-- One execution of a plan. epoch rises with every runner that takes the run up: it is the fence.
CREATE TABLE migration_control.run (
  id bigint PRIMARY KEY,
  direction text NOT NULL CHECK (direction IN ('forward', 'rollback', 'cleanup')),
  undoes bigint REFERENCES migration_control.run,
  plan text NOT NULL,
  plan_version text NOT NULL,
  plan_hash text NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'completed')),
  epoch bigint NOT NULL,
  pid integer NOT NULL,
  backend_start timestamptz NOT NULL,
  lock_pid integer NOT NULL,
  lock_backend_start timestamptz NOT NULL,
  client text NOT NULL,
  steps_begun integer NOT NULL DEFAULT 0,
  steps_done integer NOT NULL DEFAULT 0,
  reason text,
  seal text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz
);

-- The checkpoints. No row: not begun. intent: a concurrent statement may have been sent, about what
-- object names: what is done to which index. Of a batch step that several do, into how many ranges.
CREATE TABLE migration_control.step (
  run_id bigint NOT NULL REFERENCES migration_control.run,
  step text NOT NULL,
  position integer NOT NULL,
  kind text NOT NULL,
  state text NOT NULL CHECK (state IN ('intent', 'running', 'done')),
  last_key bigint,
  rows bigint NOT NULL,
  batches integer NOT NULL,
  attempts integer NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seal text NOT NULL,
  object text,
  object_seal text,
  PRIMARY KEY (run_id, step)
);

-- The ranges of a batch step that several workers do, each with a checkpoint of its own: the keys
-- behind after_key up to last_key are done. They are forgotten when the step is done.
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

CREATE TABLE migration_control.plan_file (
  run_id bigint NOT NULL REFERENCES migration_control.run,
  path text NOT NULL,
  sha256 text NOT NULL,
  PRIMARY KEY (run_id, path)
);

CREATE TABLE migration_control.event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id bigint NOT NULL REFERENCES migration_control.run,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind text NOT NULL,
  step text,
  message text NOT NULL DEFAULT ''
);

-- What a rollback saved that the old schema cannot hold; written by the plan's archive function.
CREATE TABLE migration_control.archived (
  run_id bigint NOT NULL,
  relation text NOT NULL,
  rows bigint NOT NULL
);

-- What an operator asks of a run at work, until when. No role but the owner sees or writes a row,
-- whatever it is granted later: row security without a policy.
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

-- Default privileges of the database may have given these to the application's roles.
DO $$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT 'SCHEMA migration_control' AS object, a.grantee
    FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a
    WHERE n.nspname = 'migration_control' AND a.grantee <> n.nspowner
    UNION
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END
      || pg_catalog.format('migration_control.%I', c.relname), a.grantee
    FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    WHERE c.relnamespace = 'migration_control'::pg_catalog.regnamespace
      AND a.grantee <> c.relowner
  LOOP
    EXECUTE pg_catalog.format(
      'REVOKE ALL ON %s FROM %s', target.object,
      CASE target.grantee WHEN 0 THEN 'PUBLIC'
        ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(target.grantee)) END);
  END LOOP;
END
$$;
