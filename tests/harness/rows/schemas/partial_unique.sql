-- one main address for each customer, as many others as there are
CREATE TABLE customer (id int PRIMARY KEY);
CREATE TABLE address (
  id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer, main boolean NOT NULL
);
CREATE UNIQUE INDEX address_main ON address (customer_id) WHERE main;
