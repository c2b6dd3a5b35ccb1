-- a type that a server may have been built without
CREATE TABLE feed (id int PRIMARY KEY, item xml NOT NULL);
CREATE TABLE other (id int PRIMARY KEY, item xml);
