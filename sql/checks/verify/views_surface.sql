-- id: verify.views_surface
-- severity: critical
-- message: compatibility views that are missing, or answer in other columns, types or order
-- hint: make the view again; old clients read by these columns
-- until: cleanup

select e.name as key, coalesce('has ' || a.columns, 'is missing') as detail
from (values
    ('dealNotes', 'id bigint, deal_id bigint, type text, text text, date timestamp with time zone, sales_id bigint, attachments jsonb[]'),
    ('deals', 'id bigint, name text, company_id bigint, contact_ids bigint[], category text, stage text, description text, amount bigint, created_at timestamp with time zone, updated_at timestamp with time zone, archived_at timestamp with time zone, expected_closing_date timestamp with time zone, sales_id bigint, index smallint'),
    ('deals_summary', 'id bigint, name text, company_id bigint, contact_ids bigint[], category text, stage text, description text, amount bigint, created_at timestamp with time zone, updated_at timestamp with time zone, archived_at timestamp with time zone, expected_closing_date timestamp with time zone, sales_id bigint, index smallint, company_name text, contact_names text[], nb_notes bigint')
) e (name, columns)
left join (
    select c.relname, pg_catalog.string_agg(
        a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum) as columns
    from pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind = 'v'
    group by c.relname
) a on a.relname = e.name
where a.columns is distinct from e.columns
