-- Row level security policies, on an extension's tables too. Whether a table obeys them is told with its privileges.
select 'policy ' || quote_ident(p.polname) || ' on ' || n.name || '.' || quote_ident(r.relname),
  jsonb_build_object(
    'command', p.polcmd,
    'permissive', p.polpermissive,
    'roles', (select jsonb_agg(name order by name)
              from (select case r when 0 then 'PUBLIC' else pg_get_userbyid(r)::text end as name
                    from unnest(p.polroles) r) roles),
    'using', pg_get_expr(p.polqual, p.polrelid),
    'check', pg_get_expr(p.polwithcheck, p.polrelid)
  )
from pg_policy p
join pg_class r on r.oid = p.polrelid
join namespace n on n.oid = r.relnamespace and r.oid not in (select oid from left_out)
