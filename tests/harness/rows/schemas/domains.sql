-- domains over domains, with CHECKs, in arrays and composites
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN percent AS positive NOT NULL CHECK (VALUE <= 100);
CREATE DOMAIN mail AS text CHECK (VALUE ~ '^[a-z]+@[a-z]+\.example$');
CREATE TYPE money_of AS (amount numeric(10,2), currency char(3), share percent);
CREATE TABLE things (
  id positive PRIMARY KEY, share percent, mail mail UNIQUE, mails mail[] NOT NULL,
  price money_of NOT NULL, prices money_of[]
);
