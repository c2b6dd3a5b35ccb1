-- Functions of a schema that a role may call through the API: name, description, whether it may write, parameters.
select
    p.proname::text,
    pg_catalog.obj_description(p.oid, 'pg_proc'),
    p.provolatile = 'v',
    coalesce((
        select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', coalesce(p.proargnames[i], ''),
            'type', pg_catalog.format_type(kinds.types[i], null),
            'required', not (i > pg_catalog.cardinality(kinds.types) - p.pronargdefaults)
        ) order by i)
        from (select p.proargtypes::oid[]) as given (zero_based)
        cross join lateral (
            select pg_catalog.array_agg(u.type order by u.place)
            from pg_catalog.unnest(given.zero_based) with ordinality as u (type, place)
        ) as kinds (types)
        cross join lateral pg_catalog.generate_series(1, p.pronargs) as i
    ), '[]')
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
where n.nspname = %(schema)s
    and p.prokind = 'f'
    and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
    and pg_catalog.has_function_privilege(%(role)s::name, p.oid, 'execute')
    and not exists (
        select from pg_catalog.pg_depend as e
        where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
    )
order by 1, pg_catalog.pg_get_function_identity_arguments(p.oid)
