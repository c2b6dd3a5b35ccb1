-- bounds far from what is usual
CREATE TABLE far (
  a int NOT NULL CHECK (a > 2000000000), b bigint NOT NULL CHECK (b < -9000000000000000000),
  c numeric NOT NULL CHECK (c > 1e20), d numeric(5,2) NOT NULL CHECK (d >= 999.9),
  e smallint NOT NULL CHECK (e >= 32767), f date NOT NULL CHECK (f >= '2100-01-01'),
  g date NOT NULL, h timestamptz NOT NULL CHECK (h < '1950-01-01'),
  i interval NOT NULL CHECK (i > interval '0' AND i < interval '1 day'),
  j time NOT NULL CHECK (j >= '09:00' AND j < '17:00'), k money NOT NULL CHECK (k > 0::money),
  l bytea NOT NULL CHECK (octet_length(l) = 20), m text NOT NULL CHECK (m > 'm' AND m < 'n'),
  CHECK (f > g)
);
