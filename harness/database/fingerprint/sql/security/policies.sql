-- Row level security policies. Whether a table obeys them is told with its privileges.
select 'policy ' || quote_ident(p.polname) || ' on ' || c.name,
  jsonb_build_object(
    'command', p.polcmd,
    'permissive', p.polpermissive,
    'roles', (select jsonb_agg(name order by name)
              from (select case r when 0 then 'PUBLIC' else pg_get_userbyid(r)::text end as name
                    from unnest(p.polroles) r) roles),
    'using', pg_get_expr(p.polqual, p.polrelid),
    'check', pg_get_expr(p.polwithcheck, p.polrelid)
  )
from relation c
join pg_policy p on p.polrelid = c.oid
