-- Constraints of tables and domains; on Postgres 18 its named NOT NULL constraints too.
-- A foreign key's own triggers are named after oids, so their states are told by what they call.
select 'constraint ' || quote_ident(k.conname) || ' on '
    || coalesce(c.name, 'domain ' || d.name || '.' || quote_ident(t.typname)),
  jsonb_build_object(
    'definition', pg_get_constraintdef(k.oid),
    'type', k.contype,
    'deferrable', k.condeferrable,
    'deferred', k.condeferred,
    'validated', k.convalidated,
    'enforced', coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true),
    'local', k.conislocal,
    'inherited', k.coninhcount,
    -- of a key it only tells whether a partition's was made with it or attached
    'no_inherit', case when k.contype in ('c', 'n') then k.connoinherit end,
    'parent', (select quote_ident(p.conname) || ' on ' || p.conrelid::regclass::text
               from pg_constraint p where p.oid = k.conparentid),
    'index', case when k.contype in ('p', 'u', 'x') then k.conindid::regclass::text end,
    'triggers', (select jsonb_agg(g.tgrelid::regclass::text || ' ' || g.tgfoid::regproc::text || ' ' || g.tgenabled::text
                                  order by g.tgrelid::regclass::text, g.tgfoid::regproc::text,
                                           g.tgenabled::text)
                 from pg_trigger g where g.tgconstraint = k.oid and g.tgisinternal)
  )
from pg_constraint k
left join relation c on c.oid = k.conrelid
left join pg_type t on t.oid = k.contypid
left join namespace d on d.oid = t.typnamespace
where (c.oid is not null or d.oid is not null) and k.contype <> 't'
  and not exists (select from extended e
                  where e.classid = 'pg_type'::regclass and e.objid = k.contypid)
