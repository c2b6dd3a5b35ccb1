-- The schema before the migration: what is in production today.
CREATE SCHEMA shop;

CREATE TABLE shop.customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    email text NOT NULL UNIQUE
);

CREATE TABLE shop.purchase (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES shop.customer (id),
    amount numeric(10, 2) NOT NULL CHECK (amount > 0),
    made_at timestamptz NOT NULL
);
