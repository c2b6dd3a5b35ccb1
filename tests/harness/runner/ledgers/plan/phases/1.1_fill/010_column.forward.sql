-- summary: a column and a table
CREATE TABLE public.kinds (id bigint PRIMARY KEY, name text);
ALTER TABLE public.things ADD COLUMN upper_name text;
INSERT INTO public.kinds VALUES (1, current_setting('harness.sunset'));
