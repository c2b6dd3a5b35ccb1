-- columns that follow from others
CREATE TABLE bill (
  id int PRIMARY KEY, a int NOT NULL, b int NOT NULL, c int NOT NULL,
  total numeric(10,2) NOT NULL, net numeric(10,2) NOT NULL, tax numeric(10,2) NOT NULL,
  CHECK (a < b), CHECK (b < c), CHECK (a + b = c OR a = 7), CHECK (total = net + tax)
);
CREATE TABLE parcel (
  id int PRIMARY KEY, status text NOT NULL, paid_at timestamptz, sent_at timestamptz,
  CHECK (status IN ('new', 'paid', 'sent')),
  CHECK (status <> 'paid' OR paid_at IS NOT NULL),
  CHECK (status <> 'new' OR (paid_at IS NULL AND sent_at IS NULL)),
  CHECK (sent_at IS NULL OR (paid_at IS NOT NULL AND sent_at > paid_at))
);
