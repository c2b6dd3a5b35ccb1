-- Comments on everything in our schemas and on what is in no schema; those on what an extension owns
-- are the extension's, but the one on a language is as often a person's. Of the server's own objects:
-- the comments that initdb did not write. Their rows are younger than the privileges that it noted when
-- its own were written; a raw transaction number does not change when its row is frozen or copied.
select 'comment on ' || i.type || ' ' || i.identity, jsonb_build_object('text', d.description)
from (
  -- first, or every built-in function's comment is looked at
  select * from pg_description
  where objoid >= 16384 or classoid in ('pg_extension'::regclass, 'pg_language'::regclass, 'pg_largeobject'::regclass)
    or (classoid = 'pg_namespace'::regclass and objoid = to_regnamespace('public'))
    or xmin::text::bigint > (select max(xmin::text::bigint) from pg_init_privs where privtype = 'i')
  offset 0
) d
cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) i
left join pg_constraint k on d.classoid = 'pg_constraint'::regclass and k.oid = d.objoid
left join pg_trigger t on d.classoid = 'pg_trigger'::regclass and t.oid = d.objoid
left join pg_policy p on d.classoid = 'pg_policy'::regclass and p.oid = d.objoid
left join pg_rewrite r on d.classoid = 'pg_rewrite'::regclass and r.oid = d.objoid
left join pg_class c on c.oid = coalesce(k.conrelid, t.tgrelid, p.polrelid, r.ev_class,
                                         case when d.classoid = 'pg_class'::regclass then d.objoid end)
where i.type is not null
  and (d.classoid = 'pg_language'::regclass
    or not exists (select from extended e where e.classid = d.classoid and e.objid = d.objoid))
  and not exists (select from extended e where e.classid = 'pg_class'::regclass and e.objid = c.oid)
  and (c.oid is null or c.oid not in (select oid from left_out))
  and coalesce(c.relnamespace::regnamespace::text, k.connamespace::regnamespace::text, i.schema,
               case when d.classoid = 'pg_namespace'::regclass then i.identity end, 'public')
      in (select name from namespace union select 'public')
