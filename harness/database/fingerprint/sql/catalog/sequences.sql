-- Sequences: parameters and the column that owns one. Values are a part of their own.
select 'sequence ' || c.name,
  jsonb_build_object(
    'type', s.seqtypid::regtype::text,
    'start', s.seqstart,
    'increment', s.seqincrement,
    'minimum', s.seqmin,
    'maximum', s.seqmax,
    'cache', s.seqcache,
    'cycle', s.seqcycle,
    'persistence', c.relpersistence,
    'owned_by', (select d.refobjid::regclass::text || '.' || quote_ident(a.attname)
                 from pg_depend d
                 join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
                 where d.classid = 'pg_class'::regclass and d.objid = c.oid
                   and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i'))
  )
from relation c
join pg_sequence s on s.seqrelid = c.oid
