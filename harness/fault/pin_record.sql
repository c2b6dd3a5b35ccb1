-- Write down every checkpoint that a run commits, in order: these are the commits that can be held.
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
BEGIN
  INSERT INTO migration_pin.seen (step, state, batches) VALUES (NEW.step, NEW.state, NEW.batches);
  RETURN NULL;
END
$$;

CREATE TRIGGER migration_pin AFTER INSERT OR UPDATE ON {step}
  FOR EACH ROW EXECUTE FUNCTION migration_pin.record();
