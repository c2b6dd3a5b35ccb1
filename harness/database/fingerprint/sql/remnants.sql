-- What dropped or added columns leave behind inside a table: no part of its identity.
select 'table ' || c.name,
  jsonb_build_object(
    'dropped_columns', count(*) filter (where a.attisdropped),
    'columns_with_missing_value', count(*) filter (where a.atthasmissing))
from relation c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
where c.relkind in ('r', 'p') and (a.attisdropped or a.atthasmissing)
group by c.name
