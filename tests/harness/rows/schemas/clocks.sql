-- CHECKs that ask the clock
CREATE TABLE session (
  id int PRIMARY KEY,
  started timestamptz NOT NULL CHECK (started <= now()),
  expires timestamptz NOT NULL CHECK (expires > now()),
  born date NOT NULL CHECK (born < CURRENT_DATE - interval '18 years'),
  CHECK (expires > started)
);
