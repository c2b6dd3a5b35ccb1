-- only if: exists (select from pg_collation where oid >= 16384) or exists (select from pg_ts_config where oid >= 16384) or exists (select from pg_ts_dict where oid >= 16384) or exists (select from pg_ts_template where oid >= 16384) or exists (select from pg_ts_parser where oid >= 16384)
-- Collations and text search objects.
select 'collation ' || n.name || '.' || quote_ident(c.collname),
  -- the recorded version follows the operating system's library, not the database
  jsonb_build_object('provider', c.collprovider, 'deterministic', c.collisdeterministic,
    'encoding', c.collencoding, 'collate', c.collcollate, 'ctype', c.collctype,
    'locale', coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'),
    'rules', to_jsonb(c) ->> 'collicurules')
from pg_collation c
join namespace n on n.oid = c.collnamespace and n.first_oid = 0 -- the server's follow the system's library
where not exists (select from extended e
                  where e.classid = 'pg_collation'::regclass and e.objid = c.oid)
union all
select 'text search configuration ' || n.name || '.' || quote_ident(c.cfgname),
  jsonb_build_object(
    'parser', (select p.prsnamespace::regnamespace::text || '.' || quote_ident(p.prsname)
               from pg_ts_parser p where p.oid = c.cfgparser),
    'mappings', (select jsonb_agg(jsonb_build_array(m.maptokentype, m.mapseqno,
                                    m.mapdict::regdictionary::text)
                                  order by m.maptokentype, m.mapseqno)
                 from pg_ts_config_map m where m.mapcfg = c.oid))
from pg_ts_config c
join namespace n on n.oid = c.cfgnamespace and c.oid >= n.first_oid
where not exists (select from extended e
                  where e.classid = 'pg_ts_config'::regclass and e.objid = c.oid)
union all
select 'text search dictionary ' || n.name || '.' || quote_ident(d.dictname),
  jsonb_build_object('options', d.dictinitoption,
    'template', (select t.tmplnamespace::regnamespace::text || '.' || quote_ident(t.tmplname)
                 from pg_ts_template t where t.oid = d.dicttemplate))
from pg_ts_dict d
join namespace n on n.oid = d.dictnamespace and d.oid >= n.first_oid
where not exists (select from extended e
                  where e.classid = 'pg_ts_dict'::regclass and e.objid = d.oid)
union all
select 'text search template ' || n.name || '.' || quote_ident(t.tmplname),
  jsonb_build_object('init', nullif(t.tmplinit::oid, 0)::regprocedure::text,
    'lexize', t.tmpllexize::oid::regprocedure::text)
from pg_ts_template t
join namespace n on n.oid = t.tmplnamespace and t.oid >= n.first_oid
where not exists (select from extended e
                  where e.classid = 'pg_ts_template'::regclass and e.objid = t.oid)
union all
select 'text search parser ' || n.name || '.' || quote_ident(p.prsname),
  jsonb_build_object('start', p.prsstart::regproc::text, 'token', p.prstoken::regproc::text,
    'end', p.prsend::regproc::text, 'headline', p.prsheadline::regproc::text,
    'lextype', p.prslextype::regproc::text)
from pg_ts_parser p
join namespace n on n.oid = p.prsnamespace and p.oid >= n.first_oid
where not exists (select from extended e
                  where e.classid = 'pg_ts_parser'::regclass and e.objid = p.oid)
