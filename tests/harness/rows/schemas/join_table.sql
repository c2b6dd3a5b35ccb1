-- pairs of parents, no pair twice
CREATE TABLE student (id int PRIMARY KEY);
CREATE TABLE course (id int PRIMARY KEY);
CREATE TABLE enrolled (
  student_id int REFERENCES student, course_id int REFERENCES course, grade smallint,
  PRIMARY KEY (student_id, course_id)
);
CREATE TABLE voted (
  student_id int NOT NULL REFERENCES student, course_id int NOT NULL REFERENCES course,
  kind text NOT NULL CHECK (kind IN ('up', 'down')),
  UNIQUE (student_id, course_id, kind)
);
