-- kind: concurrent
DROP INDEX CONCURRENTLY public.things_upper;
