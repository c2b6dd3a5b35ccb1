-- An ordinary schema, to measure with.
CREATE TABLE customer (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email varchar(80) NOT NULL UNIQUE,
  first_name text NOT NULL, last_name text NOT NULL, phone text, city text,
  born date CHECK (born > '1900-01-01'),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE product (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku text NOT NULL UNIQUE, name text NOT NULL, description text,
  price numeric(10,2) NOT NULL CHECK (price > 0), tags text[], attributes jsonb
);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customer,
  status text NOT NULL CHECK (status IN ('new', 'paid', 'sent')),
  total numeric(10,2) NOT NULL CHECK (total >= 0), note text,
  placed_at timestamptz NOT NULL, sent_at timestamptz, CHECK (sent_at >= placed_at)
);
CREATE TABLE line (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id bigint NOT NULL REFERENCES orders, product_id bigint NOT NULL REFERENCES product,
  quantity int NOT NULL CHECK (quantity BETWEEN 1 AND 99), price numeric(10,2) NOT NULL
);
