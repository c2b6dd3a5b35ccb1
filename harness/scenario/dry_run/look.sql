-- What the runner's own session sees between two statements, kept with the transaction it belongs to.
CREATE SCHEMA harness_dry_run;
GRANT USAGE ON SCHEMA harness_dry_run TO PUBLIC;

-- The relations that users know: as they were before the step that runs now.
CREATE TABLE harness_dry_run.relation (
  id oid PRIMARY KEY,
  name text NOT NULL,
  node oid,
  bytes bigint
);

CREATE TABLE harness_dry_run.look (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  direction text NOT NULL,
  step text NOT NULL,
  statement integer NOT NULL,
  transaction xid8 NOT NULL,
  began timestamptz NOT NULL,
  ended timestamptz,
  wal_began pg_lsn NOT NULL,
  wal_ended pg_lsn
);

CREATE TABLE harness_dry_run.seen (
  look bigint NOT NULL,
  relation oid NOT NULL,
  mode text NOT NULL,
  node oid,
  read bigint,
  changed bigint
);

CREATE FUNCTION harness_dry_run.look(direction text, step text, statement integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  this bigint;
BEGIN
  PERFORM pg_catalog.pg_stat_force_next_flush();
  INSERT INTO harness_dry_run.look (direction, step, statement, transaction, began, wal_began)
  VALUES (look.direction, look.step, look.statement, pg_catalog.pg_current_xact_id(),
    pg_catalog.clock_timestamp(), pg_catalog.pg_current_wal_insert_lsn())
  RETURNING number INTO this;
  INSERT INTO harness_dry_run.seen (look, relation, mode, node, read, changed)
  SELECT this, r.id, l.mode, pg_catalog.pg_relation_filenode(r.id),
    pg_catalog.pg_stat_get_xact_tuples_returned(r.id),
    pg_catalog.pg_stat_get_xact_tuples_updated(r.id)
      + pg_catalog.pg_stat_get_xact_tuples_deleted(r.id)
  FROM pg_catalog.pg_locks AS l JOIN harness_dry_run.relation AS r ON r.id = l.relation
  WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
      WHERE d.datname = pg_catalog.current_database());
  UPDATE harness_dry_run.look AS k SET ended = pg_catalog.clock_timestamp(),
    wal_ended = pg_catalog.pg_current_wal_insert_lsn() WHERE k.number = this;
END
$$;

-- With every checkpoint the session hands its statistics on, so that temporary files are counted to their step.
CREATE FUNCTION harness_dry_run.hand_on() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  PERFORM pg_catalog.pg_stat_force_next_flush();
  RETURN NULL;
END
$$;
