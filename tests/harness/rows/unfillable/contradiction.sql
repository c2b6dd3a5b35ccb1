-- never
CREATE TABLE x (n int NOT NULL CONSTRAINT never CHECK (n > 5 AND n < 3));
