-- a table that inherits has rows of its own
CREATE TABLE city (id int PRIMARY KEY, name text NOT NULL CHECK (name <> ''), height int);
CREATE TABLE capital (state char(2) NOT NULL UNIQUE) INHERITS (city);
CREATE TABLE visit (id int PRIMARY KEY, city_id int NOT NULL REFERENCES city);
