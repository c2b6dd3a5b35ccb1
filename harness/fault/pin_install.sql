-- Hold one commit of a runner. A trigger at the very end of its transaction compares what the ledger
-- was told with migration_pin.target, and while somebody holds the advisory lock
--   before: waits for it, so that all is done but the commit record;
--   after: asks for the answer of a standby that is not there, so that the commit record is written and
--   nobody hears of it. Only this one transaction asks: the server itself waits for no standby.
CREATE SCHEMA migration_pin;

CREATE TABLE migration_pin.target (
  step text NOT NULL,
  state text NOT NULL,
  batches integer NOT NULL,
  side text NOT NULL CHECK (side IN ('before', 'after'))
);

-- lock_timeout 0: the moment ends when whoever holds it says so, not when the runner loses patience.
CREATE FUNCTION migration_pin.hold() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' SET lock_timeout = 0
AS $$
DECLARE
  told CONSTANT jsonb := pg_catalog.to_jsonb(NEW);
  wanted text;
BEGIN
  SELECT t.side INTO wanted FROM migration_pin.target AS t
  WHERE t.step = coalesce(told ->> 'step', '(run)')
    AND t.state = coalesce('range' || (told ->> 'number') || '.', '') || (told ->> 'state')
    AND t.batches = coalesce((told ->> 'batches')::integer, 0);
  IF wanted = 'before' THEN
    -- It must not notice that its client died: whoever takes over is to find it here.
    PERFORM pg_catalog.set_config('client_connection_check_interval', '0', true);
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(7366254);
  ELSIF wanted = 'after' AND NOT pg_catalog.pg_try_advisory_xact_lock_shared(7366254) THEN
    PERFORM pg_catalog.set_config('synchronous_commit', 'on', true);
  END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION migration_pin.attach(relation regclass) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  EXECUTE pg_catalog.format(
    'CREATE CONSTRAINT TRIGGER migration_pin AFTER INSERT OR UPDATE ON %s'
    ' DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION migration_pin.hold()', relation);
END
$$;

-- The first run makes the ledger in the transaction that is to be held.
CREATE FUNCTION migration_pin.attach_new() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  PERFORM migration_pin.attach(made.objid) FROM (
    SELECT DISTINCT c.objid FROM pg_catalog.pg_event_trigger_ddl_commands() AS c
    WHERE c.object_identity IN ({run_name}, {step_name}, {batch_range_name})
  ) AS made;
END
$$;

DO $$
BEGIN
  IF pg_catalog.to_regclass({step_name}) IS NULL THEN
    CREATE EVENT TRIGGER migration_pin ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
      EXECUTE FUNCTION migration_pin.attach_new();
  ELSE
    PERFORM migration_pin.attach({run_name});
    PERFORM migration_pin.attach({step_name});
    PERFORM migration_pin.attach({batch_range_name});
  END IF;
END
$$;
