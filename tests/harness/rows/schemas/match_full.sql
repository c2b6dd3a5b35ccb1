-- MATCH FULL: both columns or none
CREATE TABLE place (x int, y int, PRIMARY KEY (x, y));
CREATE TABLE pin (id int PRIMARY KEY, x int, y int, FOREIGN KEY (x, y) REFERENCES place MATCH FULL);
