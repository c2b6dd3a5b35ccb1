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
    'depends_on_extension', x.extensions
  ) || coalesce(g.attributes, '{}')
from routine p
left join dependent x on x.classid = 'pg_proc'::regclass and x.objid = p.oid
left join (
  select aggfnoid, jsonb_build_object(
    'aggregate_kind', aggkind,
    'direct_arguments', aggnumdirectargs,
    'transition', aggtransfn::regprocedure::text,
    'state', aggtranstype::regtype::text,
    'state_space', aggtransspace,
    'initial', agginitval,
    'final', nullif(aggfinalfn::oid, 0)::regprocedure::text,
    'final_extra', aggfinalextra,
    'final_modify', aggfinalmodify,
    'combine', nullif(aggcombinefn::oid, 0)::regprocedure::text,
    'serial', nullif(aggserialfn::oid, 0)::regprocedure::text,
    'deserial', nullif(aggdeserialfn::oid, 0)::regprocedure::text,
    'moving', nullif(aggmtransfn::oid, 0)::regprocedure::text,
    'moving_inverse', nullif(aggminvtransfn::oid, 0)::regprocedure::text,
    'moving_final', nullif(aggmfinalfn::oid, 0)::regprocedure::text,
    'moving_final_extra', aggmfinalextra,
    'moving_final_modify', aggmfinalmodify,
    'moving_state', nullif(aggmtranstype, 0)::regtype::text,
    'moving_state_space', aggmtransspace,
    'moving_initial', aggminitval,
    'sort', nullif(aggsortop::oid, 0)::regoperator::text
  ) as attributes
  from pg_aggregate
  where aggfnoid::oid >= 16384
) g on g.aggfnoid = p.oid
