-- two tables refer to each other; one of the keys may be NULL for a moment
CREATE TABLE team (id int PRIMARY KEY, leader_id int, name text NOT NULL);
CREATE TABLE person (id int PRIMARY KEY, team_id int NOT NULL REFERENCES team);
ALTER TABLE team ADD CONSTRAINT team_leader FOREIGN KEY (leader_id) REFERENCES person;
