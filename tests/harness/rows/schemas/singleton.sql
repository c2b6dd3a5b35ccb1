-- room for one row, for three
CREATE TABLE settings (id boolean PRIMARY KEY DEFAULT true CHECK (id), title text);
CREATE TYPE size AS ENUM ('s', 'm', 'l');
CREATE TABLE sizes (size size PRIMARY KEY, inches int);
CREATE TABLE shirt (id int PRIMARY KEY, size size NOT NULL REFERENCES sizes);
