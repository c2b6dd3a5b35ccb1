-- triggers make rows, change rows, and leave rows out
CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE log (id bigserial PRIMARY KEY, person_id int NOT NULL UNIQUE REFERENCES person);
CREATE FUNCTION keep_log() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.log (person_id) VALUES (new.id); RETURN new; END $$;
CREATE TRIGGER keep_log AFTER INSERT ON person FOR EACH ROW EXECUTE FUNCTION keep_log();
CREATE TABLE even (id int PRIMARY KEY, n int NOT NULL);
CREATE FUNCTION refuse_odd() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN IF new.n % 2 = 1 THEN RAISE EXCEPTION 'odd'; END IF; RETURN new; END $$;
CREATE TRIGGER refuse_odd BEFORE INSERT ON even FOR EACH ROW EXECUTE FUNCTION refuse_odd();
