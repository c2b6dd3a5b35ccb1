-- length, pattern, case
CREATE TABLE product (
  id int PRIMARY KEY,
  sku text NOT NULL UNIQUE CHECK (sku ~ '^[A-Z]{3}-[0-9]{4,6}$'),
  name varchar(40) NOT NULL CHECK (length(name) >= 3 AND btrim(name) <> ''),
  slug text NOT NULL CHECK (slug = lower(slug) AND slug !~ '[^a-z0-9 -]'),
  code char(4) NOT NULL CHECK (code LIKE 'X_%'),
  note text CHECK (char_length(note) <= 10),
  colour text NOT NULL CHECK (colour ~* '^#[0-9a-f]{6}$'),
  iban text NOT NULL CHECK (iban SIMILAR TO '[A-Z]{2}[0-9]{6}')
);
