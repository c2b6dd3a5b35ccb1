
CREATE TABLE public.things (id bigint PRIMARY KEY, name text NOT NULL);
INSERT INTO public.things SELECT g, 'thing ' || g FROM generate_series(1, 20) AS g;
