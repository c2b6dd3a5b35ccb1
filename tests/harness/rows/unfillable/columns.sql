-- less
CREATE TABLE x (
  a int NOT NULL, b int NOT NULL, CONSTRAINT less CHECK (a < b), CONSTRAINT more CHECK (a > b)
);
