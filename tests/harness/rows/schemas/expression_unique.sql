-- unique without regard to case, and by the day
CREATE TABLE login (id int PRIMARY KEY, mail text NOT NULL);
CREATE UNIQUE INDEX login_mail ON login (lower(mail));
CREATE TABLE daily (id int PRIMARY KEY, at timestamp NOT NULL);
CREATE UNIQUE INDEX daily_at ON daily (date_trunc('day', at));
