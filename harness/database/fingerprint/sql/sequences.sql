-- The sequences whose values are compared, with what tells the next value; of an extension's those that it
-- declares to be the database's own.
select c.name, s.seqincrement
from relation c
join pg_sequence s on s.seqrelid = c.oid
union all
select n.name || '.' || quote_ident(c.relname), s.seqincrement
from pg_extension x
cross join unnest(x.extconfig) t (relation)
join pg_class c on c.oid = t.relation
join namespace n on n.oid = c.relnamespace
join pg_sequence s on s.seqrelid = c.oid
