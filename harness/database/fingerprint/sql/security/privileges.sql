-- Owners and privileges: the effective ones, and apart from them whether they were ever written down
-- (a NULL ACL and an explicit one that grants the same behave alike now, and differ after a change of
-- owner or of default privileges).
, owned as (
  select c.kind || ' ' || c.name as object, c.relowner as owner, c.relacl as acl,
    case c.relkind when 'S' then 's'::"char" else 'r'::"char" end as type,
    case when c.relkind in ('r', 'p') then
        jsonb_build_object('row_security', c.relrowsecurity, 'force_row_security', c.relforcerowsecurity)
      when c.relkind = 'v' then (
        select jsonb_build_object('security_invoker', max(v) filter (where k = 'security_invoker'),
                                  'security_barrier', max(v) filter (where k = 'security_barrier'))
        from (select split_part(x, '=', 1) as k, split_part(x, '=', 2) as v
              from unnest(c.reloptions) x) options)
      else '{}' end as more
  from relation c where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select 'column ' || c.name || '.' || quote_ident(a.attname), c.relowner, a.attacl, 'c', '{}'
  from relation c join pg_attribute a on a.attrelid = c.oid
  where a.attacl is not null and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f')
  union all
  select p.kind || ' ' || p.name, p.proowner, p.proacl, 'f',
    jsonb_build_object('security_definer', p.prosecdef)
  from routine p
  union all
  select 'schema ' || n.name, n.nspowner, n.nspacl, 'n', '{}' from namespace n where n.first_oid = 0
  union all
  select case t.typtype when 'd' then 'domain ' else 'type ' end || n.name || '.' || quote_ident(t.typname),
    t.typowner, t.typacl, 'T', '{}'
  from pg_type t join namespace n on n.oid = t.typnamespace and t.oid >= n.first_oid
  where t.typtype in ('e', 'd', 'r', 'c', 'b', 'p')
    and (t.typrelid = 0 or (select c.relkind from pg_class c where c.oid = t.typrelid) = 'c')
    and not exists (select from pg_type i where i.typarray = t.oid)
    and not exists (select from extended e where e.classid = 'pg_type'::regclass and e.objid = t.oid)
  union all
  select 'language ' || quote_ident(l.lanname), l.lanowner, l.lanacl, 'l', '{}'
  from pg_language l
  where l.lanispl
  union all
  select 'foreign-data wrapper ' || quote_ident(w.fdwname), w.fdwowner, w.fdwacl, 'F', '{}'
  from pg_foreign_data_wrapper w
  union all
  select 'server ' || quote_ident(s.srvname), s.srvowner, s.srvacl, 'S', '{}'
  from pg_foreign_server s
  union all
  select 'large object ' || l.oid, l.lomowner, l.lomacl, 'L', '{}'
  from pg_largeobject_metadata l
),
object as (
  select *, coalesce(acl, acldefault(type, owner)) as effective from owned
),
-- a few ACLs are shared by many objects: each is spelled out once
spelled as materialized (
  select a.acl, (
      select coalesce(jsonb_agg(granted order by granted), '[]')
      from (
        select case g.grantee when 0 then 'PUBLIC' else pg_get_userbyid(g.grantee)::text end || ': '
          || string_agg(g.privilege_type || case when g.is_grantable then '*' else '' end, ', '
                        order by g.privilege_type)
          || ' (by ' || pg_get_userbyid(g.grantor) || ')' as granted
        from aclexplode(a.acl) g
        group by g.grantee, g.grantor
      ) grants) as privileges
  from (select distinct effective as acl from object) a
)
select o.object,
  jsonb_build_object(
    'owner', pg_get_userbyid(o.owner),
    'acl', case when o.acl is null then 'default' else 'explicit' end,
    'privileges', s.privileges
  ) || o.more
from object o
join spelled s on s.acl = o.effective
