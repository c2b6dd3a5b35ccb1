-- partition
CREATE TABLE x (id int NOT NULL) PARTITION BY LIST (id);
