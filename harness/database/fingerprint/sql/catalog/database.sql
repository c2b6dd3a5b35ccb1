-- What a database has besides the contents of its schemas: how it was created, schemas, extensions, languages,
-- event triggers, publications, and extended statistics. Columns that not every version has are read from
-- the whole row. en_US.UTF-8 and en_US.utf8 are one locale. The recorded version of a collation follows the operating system's library, not the database.
select 'database',
  jsonb_build_object('encoding', pg_encoding_to_char(d.encoding),
    'locale_provider', d.datlocprovider, 'collate', lower(replace(d.datcollate, '-', '')), 'ctype', lower(replace(d.datctype, '-', '')),
    'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'),
    'icu_rules', to_jsonb(d) ->> 'daticurules')
from pg_database d
where d.datname = current_database()
union all
select 'schema ' || n.name, '{}'::jsonb
from namespace n
where n.first_oid = 0
  and not exists (select from extended e
                  where e.classid = 'pg_namespace'::regclass and e.objid = n.oid)
union all
select 'extension ' || quote_ident(x.extname),
  jsonb_build_object('version', x.extversion, 'schema', x.extnamespace::regnamespace::text,
    'relocatable', x.extrelocatable,
    'dumped_tables', (select jsonb_object_agg(t.relation::regclass::text, t.condition)
                      from unnest(x.extconfig, x.extcondition) t (relation, condition)))
from pg_extension x
union all
select 'language ' || quote_ident(l.lanname),
  jsonb_build_object('trusted', l.lanpltrusted,
    'handler', nullif(l.lanplcallfoid, 0)::regprocedure::text,
    'inline', nullif(l.laninline, 0)::regprocedure::text,
    'validator', nullif(l.lanvalidator, 0)::regprocedure::text)
from pg_language l
where l.oid >= 16384
  and not exists (select from extended e
                  where e.classid = 'pg_language'::regclass and e.objid = l.oid)
union all
select 'event trigger ' || quote_ident(v.evtname),
  jsonb_build_object('event', v.evtevent, 'function', v.evtfoid::regprocedure::text,
    'tags', (select jsonb_agg(tag order by tag) from unnest(v.evttags) tag), 'enabled', v.evtenabled)
from pg_event_trigger v
where not exists (select from extended e
                  where e.classid = 'pg_event_trigger'::regclass and e.objid = v.oid)
union all
select 'publication ' || quote_ident(p.pubname),
  jsonb_build_object('all_tables', p.puballtables, 'insert', p.pubinsert, 'update', p.pubupdate,
    'delete', p.pubdelete, 'truncate', p.pubtruncate, 'via_root', p.pubviaroot,
    'generated_columns', coalesce(to_jsonb(p) ->> 'pubgencols', 'n'),
    'schemas', (select jsonb_agg(n.name order by n.name)
                from pg_publication_namespace s join namespace n on n.oid = s.pnnspid
                where s.pnpubid = p.oid),
    'tables', (select jsonb_object_agg(c.name, jsonb_build_object(
                   'where', pg_get_expr(r.prqual, r.prrelid),
                   'columns', (select jsonb_agg(quote_ident(a.attname) order by a.attname)
                               from pg_attribute a
                               where a.attrelid = r.prrelid and a.attnum = any (r.prattrs))))
               from pg_publication_rel r join relation c on c.oid = r.prrelid
               where r.prpubid = p.oid))
from pg_publication p
union all
select 'statistics ' || n.name || '.' || quote_ident(s.stxname),
  jsonb_build_object('definition', pg_get_statisticsobjdef(s.oid),
    'target', nullif(s.stxstattarget, -1))
from pg_statistic_ext s
join namespace n on n.oid = s.stxnamespace and s.stxrelid not in (select oid from left_out)
where not exists (select from extended e
                  where e.classid = 'pg_statistic_ext'::regclass and e.objid = s.oid)
