-- a CHECK that nobody can read: candidates are tried
CREATE FUNCTION luhn(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
  $$ SELECT (pg_catalog.hashtext($1) & 15) = 3 $$;
CREATE TABLE card (
  id int PRIMARY KEY,
  number text NOT NULL CHECK (luhn(number)),
  weight int NOT NULL CHECK (weight % 7 = 3),
  other int NOT NULL,
  CHECK ((weight + other) % 3 = 0)
);
