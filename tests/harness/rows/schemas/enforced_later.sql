-- constraints that are not valid yet hold for new rows
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent_id int NOT NULL, n int NOT NULL);
INSERT INTO child VALUES (1, 77, -5);
ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID;
ALTER TABLE child ADD CHECK (n > 0) NOT VALID;
