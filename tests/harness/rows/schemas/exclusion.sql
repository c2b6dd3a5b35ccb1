-- no room is booked twice at a time
CREATE EXTENSION btree_gist;
CREATE TABLE booking (
  id int PRIMARY KEY, room int NOT NULL, during tstzrange NOT NULL,
  EXCLUDE USING gist (room WITH =, during WITH &&)
);
CREATE TABLE shift (
  id int PRIMARY KEY, worker int NOT NULL, starts date NOT NULL, ends date NOT NULL,
  CHECK (starts < ends),
  EXCLUDE USING gist (worker WITH =, daterange(starts, ends) WITH &&)
);
CREATE TABLE pond (id int PRIMARY KEY, shape circle NOT NULL, EXCLUDE USING gist (shape WITH &&));
