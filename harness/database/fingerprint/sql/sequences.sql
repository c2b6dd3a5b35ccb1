-- The sequences whose values are compared, with what tells the next value.
select c.name, s.seqincrement
from relation c
join pg_sequence s on s.seqrelid = c.oid
