-- columns called like the names in our own statements
CREATE TABLE t (
  value int NOT NULL CHECK (value > 3), n int NOT NULL CHECK (n < 5), s text NOT NULL,
  u text NOT NULL CHECK (u <> s), c0 int, place int PRIMARY KEY, number int, total int, home int
);
CREATE TABLE row (
  place int UNIQUE, number int, home int, row int REFERENCES row (place), PRIMARY KEY (home, place),
  FOREIGN KEY (home, number) REFERENCES row (home, place)
);
