ALTER TABLE public.things DROP COLUMN upper_name;
DROP TABLE public.kinds;
