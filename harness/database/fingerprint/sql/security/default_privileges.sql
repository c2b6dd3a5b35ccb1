-- What new objects will be granted; the same shape as granted privileges.
select 'default privileges of ' || quote_ident(pg_get_userbyid(d.defaclrole)) || ' on '
    || case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
         when 'T' then 'types' when 'n' then 'schemas' else d.defaclobjtype::text end
    || coalesce(' in ' || n.name, ''),
  jsonb_build_object('privileges', (
    select coalesce(jsonb_agg(granted order by granted), '[]')
    from (
      select case g.grantee when 0 then 'PUBLIC' else pg_get_userbyid(g.grantee)::text end || ': '
        || string_agg(g.privilege_type || case when g.is_grantable then '*' else '' end, ', '
                      order by g.privilege_type)
        || ' (by ' || pg_get_userbyid(g.grantor) || ')' as granted
      from aclexplode(d.defaclacl) g
      group by g.grantee, g.grantor
    ) grants))
from pg_default_acl d
left join namespace n on n.oid = d.defaclnamespace
where d.defaclnamespace = 0 or n.oid is not null
