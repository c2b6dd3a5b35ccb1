-- types of extensions
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE TABLE attic (
  id int PRIMARY KEY, mail citext NOT NULL UNIQUE, tags hstore NOT NULL, path ltree NOT NULL, label citext[]
);
