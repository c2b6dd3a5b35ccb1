-- three tables in a circle, and one outside that refers to one of them
CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, c_id bigint);
CREATE TABLE b (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a_id bigint NOT NULL REFERENCES a);
CREATE TABLE c (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b_id bigint NOT NULL REFERENCES b);
ALTER TABLE a ADD FOREIGN KEY (c_id) REFERENCES c;
CREATE TABLE outside (id int PRIMARY KEY, b_id bigint NOT NULL REFERENCES b);
