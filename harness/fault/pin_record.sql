-- Write down every checkpoint that a run commits, in order: these are the commits that can be held.
-- That of a range has the range's number before its state.
CREATE SCHEMA migration_pin;

CREATE TABLE migration_pin.seen (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  step text NOT NULL,
  state text NOT NULL,
  batches integer NOT NULL
);

CREATE FUNCTION migration_pin.record() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
  told CONSTANT jsonb := pg_catalog.to_jsonb(NEW);
BEGIN
  INSERT INTO migration_pin.seen (step, state, batches)
  VALUES (NEW.step, coalesce('range' || (told ->> 'number') || '.', '') || NEW.state, NEW.batches);
  RETURN NULL;
END
$$;

CREATE TRIGGER migration_pin AFTER INSERT OR UPDATE ON {step}
  FOR EACH ROW EXECUTE FUNCTION migration_pin.record();
CREATE TRIGGER migration_pin AFTER UPDATE ON {batch_range}
  FOR EACH ROW EXECUTE FUNCTION migration_pin.record();
