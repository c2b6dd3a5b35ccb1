-- documents with a shape
CREATE TABLE event (
  id int PRIMARY KEY,
  payload jsonb NOT NULL CHECK (jsonb_typeof(payload) = 'object' AND payload ? 'kind'),
  list jsonb NOT NULL CHECK (jsonb_typeof(list) = 'array' AND jsonb_array_length(list) > 1),
  typed jsonb NOT NULL CHECK (typed ->> 'level' IN ('low', 'high') AND (typed ->> 'n')::int > 5),
  tags text[] NOT NULL CHECK (cardinality(tags) BETWEEN 1 AND 3),
  flags text[] CHECK (flags <@ ARRAY['a', 'b'])
);
