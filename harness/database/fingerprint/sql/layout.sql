-- The relations that hold rows, largest first, with how each column's value is written exactly:
--   text     its own bytes                      padded  a char(n), whose cast to text cuts blanks
--   instant  a timestamp: its eight bytes       plain   an output that is never empty and holds no \x01
--   enum     its label                          other   whatever its output function says
-- with the primary key, and which rows are meant: of a table that an extension owns only those that it
-- declares to be the database's own, which pg_dump carries.
, holding as (
  select oid, name, relkind, null as condition from relation
  where relkind = 'r' or (relkind = 'm' and relispopulated)
  union all
  select c.oid, n.name || '.' || quote_ident(c.relname), c.relkind,
    t.condition
  from pg_extension x
  cross join unnest(x.extconfig, x.extcondition) t (relation, condition)
  join pg_class c on c.oid = t.relation and c.relkind = 'r'
  join namespace n on n.oid = c.relnamespace
)
select c.name, c.relkind = 'r' and c.condition is null, pg_relation_size(c.oid) / current_setting('block_size')::bigint,
  pg_table_size(c.oid),
  coalesce((
    select jsonb_agg(jsonb_build_array(quote_ident(a.attname), case
        when t.oid in (25, 1043) then 'text'
        when t.oid = 1042 then 'padded'
        when t.oid = 1114 then 'timestamp'
        when t.oid = 1184 then 'timestamptz'
        when t.typtype = 'e' then 'enum'
        -- integers, boolean, bytea, oid, floats, numeric, date, uuid, json, jsonb, and most arrays
        when t.oid in (20, 21, 23, 16, 17, 26, 700, 701, 1700, 1082, 2950, 114, 3802,
                       1016, 1005, 1007, 1000, 1231, 1182, 2951, 3807, 1115, 1185) then 'plain'
        else 'other' end, t.oid in (20, 21, 23)) order by a.attnum)
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    -- a virtual column follows from the others, and its expression may raise
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated <> 'v'), '[]'),
  coalesce((
    select jsonb_agg(quote_ident(a.attname) order by k.position)
    from pg_index i
    cross join unnest(i.indkey) with ordinality k(number, position)
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
    where i.indrelid = c.oid and i.indisprimary and i.indisvalid), '[]'),
  c.condition
from holding c
order by pg_table_size(c.oid) desc, c.name
