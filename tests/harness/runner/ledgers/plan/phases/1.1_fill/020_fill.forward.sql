-- kind: batch
-- table: public.things
-- key: id

UPDATE public.things SET upper_name = coalesce(upper_name, '') || upper(name)
WHERE id > %(after)s AND id <= %(upto)s;
