-- odd_never
CREATE DOMAIN odd AS int CONSTRAINT odd_never CHECK (VALUE < VALUE);
CREATE TABLE x (n odd NOT NULL);
