-- numbered within a parent, and two different parents
CREATE TABLE orders (id int PRIMARY KEY);
CREATE TABLE line (
  order_id int REFERENCES orders, number int CHECK (number BETWEEN 1 AND 20),
  PRIMARY KEY (order_id, number)
);
CREATE TABLE review (
  id int PRIMARY KEY, of_id int NOT NULL REFERENCES orders, by_id int NOT NULL REFERENCES orders,
  CHECK (of_id <> by_id)
);
