-- Rights on what initdb or an extension made, where they are not the ones that it made them with; and owners
-- of built-in objects other than the first superuser. The initial rights are in pg_init_privs, but for those of
-- the information schema, whose tables initdb lets everybody read. On an extension's tables also row level
-- security. pg_dump carries all but the owners and the information schema.
, made as (
  select 'pg_class'::regclass as classid, c.oid as objid, 0 as objsubid, c.relnamespace as nspoid,
    case c.relkind when 'S' then 's' else 'r' end::"char" as type, c.relowner as owner, c.relacl as acl,
    c.relnamespace = to_regnamespace('information_schema') and c.relname !~ '^_' as is_public
  from pg_class c where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select 'pg_class'::regclass, c.oid, a.attnum, c.relnamespace, 'c', c.relowner, a.attacl, false
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  where a.attacl is not null
  union all
  select 'pg_proc'::regclass, oid, 0, pronamespace, 'f', proowner, proacl, false from pg_proc
  union all
  select 'pg_type'::regclass, oid, 0, typnamespace, 'T', typowner, typacl, false from pg_type
  union all
  select 'pg_language'::regclass, oid, 0, null, 'l', lanowner, lanacl, false from pg_language
  where not lanispl
  union all
  select 'pg_namespace'::regclass, oid, 0, null, 'n', nspowner, nspacl, nspname = 'information_schema'
  from pg_namespace where nspname in ('pg_catalog', 'information_schema', 'pg_toast')
),
touched as (
  select m.*, coalesce(m.acl, acldefault(m.type, m.owner)) as effective,
    coalesce(i.initprivs, case when m.is_public then acldefault(m.type, m.owner)
        || makeaclitem(0, m.owner, case m.type when 'n' then 'USAGE' else 'SELECT' end, false)
      else acldefault(m.type, m.owner) end) as initial
  from made m
  left join pg_init_privs i
    on i.classoid = m.classid and i.objoid = m.objid and i.objsubid = m.objsubid
  where (m.acl is distinct from i.initprivs or m.owner <> 10)
    and case when m.objid < 16384
      then m.nspoid is null or m.nspoid in (select oid from namespace where first_oid > 0)
      else m.nspoid in (select oid from namespace)
        and (m.classid, m.objid) in (select classid, objid from extended) end
),
changed as (
  select * from touched
  where objid < 16384 and owner <> 10
    or (select array_agg(a::text order by a::text) from unnest(effective) a)
      is distinct from (select array_agg(a::text order by a::text) from unnest(initial) a)
)
select case when c.objid < 16384 then 'system ' else 'extension''s ' end || o.type || ' ' || o.identity,
  jsonb_build_object('owner', pg_get_userbyid(c.owner), 'gained', r.gained, 'lost', r.lost)
from changed c
cross join lateral pg_identify_object(c.classid, c.objid, c.objsubid) o
cross join lateral (
  select jsonb_agg(told order by told) filter (where has) as gained,
    jsonb_agg(told order by told) filter (where not has) as lost
  from (
    select has, case grantee when 0 then 'PUBLIC' else pg_get_userbyid(grantee)::text end || ': '
      || privilege_type || case when is_grantable then '*' else '' end as told
    from (
      (select grantee, privilege_type, is_grantable, true as has from aclexplode(c.effective)
       except select grantee, privilege_type, is_grantable, true from aclexplode(c.initial))
      union all
      (select grantee, privilege_type, is_grantable, false from aclexplode(c.initial)
       except select grantee, privilege_type, is_grantable, false from aclexplode(c.effective))
    ) rights
  ) words
) r
union all
select 'row level security on extension''s table ' || n.name || '.' || quote_ident(t.relname),
  jsonb_build_object('row_security', t.relrowsecurity, 'force_row_security', t.relforcerowsecurity)
from extended e
join pg_class t on e.classid = 'pg_class'::regclass and e.objid = t.oid
join namespace n on n.oid = t.relnamespace
where t.relrowsecurity or t.relforcerowsecurity
