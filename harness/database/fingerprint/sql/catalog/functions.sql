-- Functions, procedures, aggregates. SECURITY DEFINER is in the security part.
select p.kind || ' ' || p.name,
  jsonb_build_object(
    'arguments', pg_get_function_arguments(p.oid),
    'result', pg_get_function_result(p.oid),
    'window', p.prokind = 'w',
    'language', (select lanname from pg_language where oid = p.prolang),
    'body', p.prosrc,
    'sql_body', pg_get_function_sqlbody(p.oid),
    'library', p.probin,
    'volatility', p.provolatile,
    'strict', p.proisstrict,
    'parallel', p.proparallel,
    'leakproof', p.proleakproof,
    'cost', p.procost,
    'rows', p.prorows,
    'config', (select jsonb_agg(o order by o) from unnest(p.proconfig) o),
    'support', nullif(p.prosupport::oid, 0)::regprocedure::text,
    'transforms', (select jsonb_agg(t::regtype::text) from unnest(p.protrftypes) t),
    'aggregate', (select jsonb_build_object(
        'kind', g.aggkind, 'direct_arguments', g.aggnumdirectargs,
        'transition', g.aggtransfn::regprocedure::text, 'state', g.aggtranstype::regtype::text,
        'state_space', g.aggtransspace, 'initial', g.agginitval,
        'final', g.aggfinalfn::oid::regprocedure::text, 'final_extra', g.aggfinalextra,
        'final_modify', g.aggfinalmodify, 'combine', g.aggcombinefn::oid::regprocedure::text,
        'serial', g.aggserialfn::oid::regprocedure::text,
        'deserial', g.aggdeserialfn::oid::regprocedure::text,
        'moving', g.aggmtransfn::oid::regprocedure::text,
        'moving_inverse', g.aggminvtransfn::oid::regprocedure::text,
        'moving_final', g.aggmfinalfn::oid::regprocedure::text,
        'moving_state', g.aggmtranstype::regtype::text, 'moving_initial', g.aggminitval,
        'sort', nullif(g.aggsortop::oid, 0)::regoperator::text)
      from pg_aggregate g where g.aggfnoid = p.oid)
  )
from routine p
