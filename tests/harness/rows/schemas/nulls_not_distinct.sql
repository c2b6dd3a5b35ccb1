-- a single NULL
CREATE TABLE slot (id int PRIMARY KEY, code varchar(6), place int, UNIQUE NULLS NOT DISTINCT (code));
CREATE TABLE pair (a int, b int, UNIQUE NULLS NOT DISTINCT (a, b));
