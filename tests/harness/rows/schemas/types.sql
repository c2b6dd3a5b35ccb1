-- every type that each server has
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE numbers (
  a smallint, b integer NOT NULL, c bigint, d numeric, e numeric(5,0), f numeric(3,3), g numeric(4,-2),
  h real, i double precision, j money, k oid, l smallserial, m bigserial
);
CREATE TABLE texts (
  a text, b varchar, c varchar(3) NOT NULL, d char(2), e char, f "char", g name, h bytea, i mood, j mood[],
  k bit, l bit(5), m bit varying(7), n bit varying, p tsvector, q tsquery
);
CREATE TABLE times (
  a date, b time, c time(0), d timetz, e timestamp, f timestamp(3), g timestamptz(0), h interval,
  i interval year to month, j interval second(2), k interval day
);
CREATE TABLE others (
  a boolean, b uuid, c json, d jsonb, e jsonpath, f inet, g cidr, h macaddr, i macaddr8, j point, k line,
  l lseg, m box, n path, o polygon, p circle, q pg_lsn, r xid, s xid8, t tid, u txid_snapshot, v pg_snapshot,
  w regclass, x regtype, y int[][], z text[] NOT NULL
);
CREATE TABLE ranges (
  a int4range, b int8range NOT NULL, c numrange, d tsrange, e tstzrange, f daterange,
  g int4multirange, h nummultirange, i datemultirange, j tstzmultirange, k int4range[]
);
