-- exactly one of several, and what follows from a kind
CREATE TABLE contact (
  id int PRIMARY KEY, mail text, phone text, post text,
  kind text NOT NULL CHECK (kind IN ('person', 'firm')),
  vat text, born date,
  CHECK (num_nonnulls(mail, phone, post) = 1),
  CHECK ((kind = 'firm') = (vat IS NOT NULL)),
  CHECK (CASE WHEN kind = 'person' THEN born IS NOT NULL ELSE born IS NULL END)
);
