-- name: relations
select relname as name, relkind::text as kind, relrowsecurity as row_level_security,
  reloptions as options
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')

-- name: columns
select c.relname as relation, to_json(array_remove(array[
    a.attname::text,
    format_type(a.atttypid, a.atttypmod),
    case when a.attnotnull then 'not null' end,
    'default ' || pg_get_expr(d.adbin, d.adrelid),
    case a.attidentity when 'd' then 'identity by default' when 'a' then 'identity always' end
  ], null)) as declaration
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
order by a.attnum

-- name: constraints
-- From 18 on a column's NOT NULL is a constraint too; the columns say it already.
select c.relname as relation, k.conname as name, pg_get_constraintdef(k.oid) as definition
from pg_constraint k
join pg_class c on c.oid = k.conrelid
where k.connamespace = 'public'::regnamespace and k.contype <> 'n'

-- name: indexes
select c.relname as relation, i.relname as name, to_json(array[
    to_json(m.amname), to_json(case when x.indisunique then 'unique' else 'not unique' end),
    to_json((select array_agg(pg_get_indexdef(x.indexrelid, n, true) order by n)
       from generate_series(1, x.indnatts::int) n))
  ]) as definition
from pg_index x
join pg_class i on i.oid = x.indexrelid
join pg_class c on c.oid = x.indrelid
join pg_am m on m.oid = i.relam
where c.relnamespace = 'public'::regnamespace

-- name: policies
select tablename as relation, policyname as name, json_build_object(
    'cmd', cmd, 'roles', to_json(roles::text[]), 'using', qual, 'check', with_check) as definition
from pg_policies
where schemaname = 'public'

-- name: grants
-- From 17 on ALL includes MAINTAIN, which the file, read off a 15, cannot name.
select c.relname as relation, r.rolname as role,
  array_agg(a.privilege_type order by a.privilege_type) as privileges
from pg_class c, aclexplode(c.relacl) a
join pg_roles r on r.oid = a.grantee
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
  and a.privilege_type <> 'MAINTAIN' and a.grantee <> c.relowner
group by c.relname, r.rolname

-- name: functions
select p.oid::regprocedure::text || ' returns ' || format_type(p.prorettype, null)
  || case when p.prosecdef then ' security definer' else '' end as name
from pg_proc p
where p.pronamespace = 'public'::regnamespace
order by 1

-- name: triggers
select t.tgname || ' on ' || n.nspname || '.' || c.relname as name
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal
order by 1
