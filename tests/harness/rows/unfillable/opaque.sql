-- closed
CREATE FUNCTION refuse(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'no such thing'; END $$;
CREATE TABLE x (n int NOT NULL CONSTRAINT closed CHECK (refuse(n)));
