-- simple CHECKs, column against column among them
CREATE TABLE offer (
  id int PRIMARY KEY,
  price numeric(8,2) NOT NULL CHECK (price > 0 AND price <= 999.99),
  discount numeric(8,2) CHECK (discount >= 0),
  quantity int NOT NULL CHECK (quantity BETWEEN 5 AND 7),
  state text NOT NULL CHECK (state IN ('draft', 'sent', 'won')),
  level smallint NOT NULL CHECK (level = ANY (ARRAY[10, 20, 30])),
  starts date NOT NULL,
  ends date,
  ratio double precision NOT NULL CHECK (ratio > 0.2 AND ratio < 0.3),
  CHECK (discount < price),
  CHECK (ends IS NULL OR ends >= starts)
);
