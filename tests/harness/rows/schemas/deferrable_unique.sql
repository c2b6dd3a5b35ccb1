-- distinct at the commit
CREATE TABLE song (id int PRIMARY KEY, place int NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE line (
  song_id int NOT NULL REFERENCES song, kind boolean NOT NULL, text text,
  UNIQUE (song_id, kind) DEFERRABLE
);
