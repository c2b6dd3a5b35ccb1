-- every row has a parent of its own
CREATE TABLE account (id uuid PRIMARY KEY);
CREATE TABLE profile (account_id uuid PRIMARY KEY REFERENCES account, bio text);
CREATE TABLE badge (id int PRIMARY KEY, account_id uuid UNIQUE REFERENCES account);
