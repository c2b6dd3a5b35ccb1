-- only if: exists (select from pg_operator where oid >= 16384) or exists (select from pg_opclass where oid >= 16384) or exists (select from pg_opfamily where oid >= 16384) or exists (select from pg_cast where oid >= 16384) or exists (select from pg_conversion where oid >= 16384) or exists (select from pg_transform where oid >= 16384) or exists (select from pg_am where oid >= 16384)
-- Operators, operator classes and families, casts, conversions, transforms, access methods.
, held as (
  select d.classid, d.objid, c.opcname
  from pg_opclass c
  join pg_depend d on d.refclassid = 'pg_opclass'::regclass and d.refobjid = c.oid and d.deptype = 'i'
  where c.oid >= 16384
)
select 'operator ' || o.oid::regoperator::text,
  jsonb_build_object('function', o.oprcode::oid::regprocedure::text,
    'result', o.oprresult::regtype::text,
    'commutator', nullif(o.oprcom, 0)::regoperator::text,
    'negator', nullif(o.oprnegate, 0)::regoperator::text,
    'restrict', nullif(o.oprrest::oid, 0)::regprocedure::text,
    'join', nullif(o.oprjoin::oid, 0)::regprocedure::text,
    'merges', o.oprcanmerge, 'hashes', o.oprcanhash)
from pg_operator o
join namespace n on n.oid = o.oprnamespace and o.oid >= n.first_oid
where not exists (select from extended e
                  where e.classid = 'pg_operator'::regclass and e.objid = o.oid)
union all
select 'operator class ' || n.name || '.' || quote_ident(o.opcname) || ' using ' || m.amname,
  jsonb_build_object('type', o.opcintype::regtype::text, 'default', o.opcdefault,
    'stored', nullif(o.opckeytype, 0)::regtype::text,
    'family', f.opfnamespace::regnamespace::text || '.' || quote_ident(f.opfname))
from pg_opclass o
join namespace n on n.oid = o.opcnamespace and o.oid >= n.first_oid
join pg_am m on m.oid = o.opcmethod
join pg_opfamily f on f.oid = o.opcfamily
where not exists (select from extended e
                  where e.classid = 'pg_opclass'::regclass and e.objid = o.oid)
union all
select 'operator family ' || n.name || '.' || quote_ident(f.opfname) || ' using ' || m.amname,
  jsonb_build_object(
    -- with the class that holds each, else it is loose in the family
    'operators', (select jsonb_agg(jsonb_build_array(a.amopstrategy, a.amopopr::regoperator::text,
                                     a.amoppurpose, s.opfnamespace::regnamespace::text || '.' || quote_ident(s.opfname),
                                     held.opcname)
                                   order by a.amopstrategy, a.amopopr::regoperator::text)
                  from pg_amop a
                  left join pg_opfamily s on s.oid = a.amopsortfamily
                  left join held on held.classid = 'pg_amop'::regclass and held.objid = a.oid
                  where a.amopfamily = f.oid),
    'functions', (select jsonb_agg(jsonb_build_array(a.amprocnum, a.amproc::oid::regprocedure::text,
                                     a.amproclefttype::regtype::text,
                                     a.amprocrighttype::regtype::text, held.opcname)
                                   order by a.amprocnum, a.amproclefttype::regtype::text,
                                     a.amprocrighttype::regtype::text)
                  from pg_amproc a
                  left join held on held.classid = 'pg_amproc'::regclass and held.objid = a.oid
                  where a.amprocfamily = f.oid))
from pg_opfamily f
join namespace n on n.oid = f.opfnamespace and f.oid >= n.first_oid
join pg_am m on m.oid = f.opfmethod
where not exists (select from extended e
                  where e.classid = 'pg_opfamily'::regclass and e.objid = f.oid)
union all
select 'cast ' || k.castsource::regtype::text || ' as ' || k.casttarget::regtype::text,
  jsonb_build_object('function', nullif(k.castfunc, 0)::regprocedure::text,
    'context', k.castcontext, 'method', k.castmethod)
from pg_cast k
where k.oid >= 16384
  and not exists (select from extended e where e.classid = 'pg_cast'::regclass and e.objid = k.oid)
union all
select 'conversion ' || n.name || '.' || quote_ident(v.conname),
  jsonb_build_object('from', pg_encoding_to_char(v.conforencoding),
    'to', pg_encoding_to_char(v.contoencoding), 'function', v.conproc::oid::regprocedure::text,
    'default', v.condefault)
from pg_conversion v
join namespace n on n.oid = v.connamespace and v.oid >= n.first_oid
where not exists (select from extended e
                  where e.classid = 'pg_conversion'::regclass and e.objid = v.oid)
union all
select 'transform for ' || t.trftype::regtype::text || ' language ' || quote_ident(l.lanname),
  jsonb_build_object('from_sql', t.trffromsql::oid::regprocedure::text,
    'to_sql', t.trftosql::oid::regprocedure::text)
from pg_transform t
join pg_language l on l.oid = t.trflang
where not exists (select from extended e
                  where e.classid = 'pg_transform'::regclass and e.objid = t.oid)
union all
select 'access method ' || quote_ident(m.amname),
  jsonb_build_object('type', m.amtype, 'handler', m.amhandler::oid::regprocedure::text)
from pg_am m
where m.oid >= 16384
  and not exists (select from extended e where e.classid = 'pg_am'::regclass and e.objid = m.oid)
