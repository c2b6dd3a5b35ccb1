-- kind: concurrent
CREATE UNIQUE INDEX CONCURRENTLY things_upper ON public.things (upper_name, id DESC)
  WHERE id > 5;
