-- kind: transaction
-- summary: the plan's own tools: copy grants, park views, archive rows, remember old names

-- What was renamed and how to name it back: the way back restores names, never guesses them.
create table migration_control.undo (
    place bigint generated always as identity primary key,
    forward text not null,
    back text not null
);

create table migration_control.parked (
    name text primary key,
    schema text not null,
    security_invoker text
);

-- Give a column (of target, or of the same relation) the privileges that another column has.
create function migration_control.copy_column_grants(
    source regclass, source_column name, target_column name, target regclass default null
) returns void
language plpgsql set search_path = ''
as $$
declare
    entry record;
begin
    for entry in
        select acl.grantee, acl.privilege_type, acl.is_grantable
        from pg_catalog.pg_attribute a
        cross join lateral pg_catalog.aclexplode(a.attacl) with ordinality
            acl (grantor, grantee, privilege_type, is_grantable, place)
        where a.attrelid = source and a.attname = source_column
        order by acl.place
    loop
        execute format('grant %s (%I) on table %s to %s%s', entry.privilege_type, target_column, coalesce(target, source),
            case entry.grantee when 0 then 'public' else entry.grantee::regrole::text end,
            case when entry.is_grantable then ' with grant option' end);
    end loop;
end
$$;

-- Set the owner and the access list of one relation to another's, entry by entry and in the same order, whatever
-- default privileges gave it at birth. Privileges on columns of the same name come along.
create function migration_control.copy_grants(source regclass, target regclass) returns void
language plpgsql set search_path = ''
as $$
declare
    owner oid := (select relowner from pg_catalog.pg_class where oid = source);
    entry record;
begin
    if owner <> (select relowner from pg_catalog.pg_class where oid = target) then
        execute format('alter table %s owner to %s', target, owner::regrole);
    end if;
    for entry in
        select distinct acl.grantee
        from pg_catalog.pg_class c
        cross join lateral pg_catalog.aclexplode(c.relacl) acl
        where c.oid = target
    loop
        execute format('revoke all on table %s from %s cascade', target,
            case entry.grantee when 0 then 'public' else entry.grantee::regrole::text end);
    end loop;
    for entry in
        select acl.grantee, acl.privilege_type, acl.is_grantable
        from pg_catalog.pg_class c
        cross join lateral pg_catalog.aclexplode(
            coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))
        ) with ordinality acl (grantor, grantee, privilege_type, is_grantable, place)
        where c.oid = source
        order by acl.place
    loop
        execute format('grant %s on table %s to %s%s', entry.privilege_type, target,
            case entry.grantee when 0 then 'public' else entry.grantee::regrole::text end,
            case when entry.is_grantable then ' with grant option' end);
    end loop;
    for entry in
        select a.attname
        from pg_catalog.pg_attribute a
        where a.attrelid = source
            and exists (select from pg_catalog.pg_attribute t where t.attrelid = target and t.attname = a.attname)
        order by a.attnum
    loop
        perform migration_control.copy_column_grants(source, entry.attname, entry.attname, target);
    end loop;
end
$$;

comment on function migration_control.copy_grants(regclass, regclass) is
    'owner and access list of target become those of source';

-- The comment of a relation, and of its columns of the same name.
create function migration_control.copy_comments(source regclass, target regclass) returns void -- target is a view
language plpgsql set search_path = ''
as $$
declare
    entry record;
begin
    for entry in
        select d.objsubid, t.attname, d.description
        from pg_catalog.pg_description d
        left join pg_catalog.pg_attribute s on s.attrelid = d.objoid and s.attnum = d.objsubid
        left join pg_catalog.pg_attribute t on t.attrelid = target and t.attname = s.attname
        where d.classoid = 'pg_catalog.pg_class'::regclass and d.objoid = source
        order by d.objsubid
    loop
        if entry.objsubid = 0 then
            execute format('comment on view %s is %L', target, entry.description);
        elsif entry.attname is not null then
            execute format('comment on column %s.%I is %L', target, entry.attname, entry.description);
        end if;
    end loop;
end
$$;

-- Put an old view away instead of dropping it: rollback moves the very same object back. While it lies here it runs
-- with its reader's rights, whatever it did before.
create function migration_control.park_view(view regclass) returns void
language plpgsql set search_path = ''
as $$
declare
    old record;
begin
    select c.relname, n.nspname,
        (select o.option_value from pg_catalog.pg_options_to_table(c.reloptions) o
         where o.option_name = 'security_invoker') as security_invoker
    into old
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = view;
    insert into migration_control.parked (name, schema, security_invoker)
    values (old.relname, old.nspname, old.security_invoker);
    execute format('alter view %s set schema migration_control', view);
    execute format('alter view migration_control.%I set (security_invoker = on)', old.relname);
end
$$;

comment on function migration_control.park_view(regclass) is 'move an old view aside, to be brought back by unpark_view';

-- Bring a parked view back. A name that was never parked is no error: the view was not there before either.
create function migration_control.unpark_view(parked_name text) returns void
language plpgsql set search_path = ''
as $$
declare
    old migration_control.parked%rowtype;
begin
    delete from migration_control.parked p where p.name = parked_name returning p.* into old;
    if not found then
        return;
    end if;
    if old.security_invoker is null then
        execute format('alter view migration_control.%I reset (security_invoker)', old.name);
    else
        execute format('alter view migration_control.%I set (security_invoker = %s)', old.name, old.security_invoker);
    end if;
    execute format('alter view migration_control.%I set schema %I', old.name, old.schema);
end
$$;

comment on function migration_control.unpark_view(text) is 'bring back a view that park_view moved aside';

-- Save, before it is dropped, what the old schema cannot hold. condition is SQL over the relation's columns (alias
-- source); columns are those to keep (all by default), labels of enums as text. Records the count.
create function migration_control.archive(relation regclass, condition text, columns text[] default null) returns void
language plpgsql set search_path = ''
as $$
declare
    run bigint := current_setting('harness.run_id')::bigint;
    source_name name := (select relname from pg_catalog.pg_class where oid = relation);
    qualifies boolean;
    kept record;
    saved bigint;
begin
    execute format('select exists (select from %s as source where %s)', relation, condition) into qualifies;
    if not qualifies then
        return;
    end if;

    create schema if not exists migration_archive;
    execute format(
        'create table if not exists migration_archive.%I (archived_run bigint, archived_at timestamptz)', source_name);
    execute format('revoke all on migration_archive.%I from public, anon, authenticated, service_role', source_name);

    select
        string_agg(format('%I', a.attname), ', ' order by a.attnum) as names,
        string_agg(format('source.%I', a.attname), ', ' order by a.attnum) as values,
        string_agg(
            format('add column if not exists %I %s', a.attname,
                case when t.typtype = 'e' then 'text' else pg_catalog.format_type(a.atttypid, a.atttypmod) end),
            ', ' order by a.attnum) as additions
    into kept
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_type t on t.oid = a.atttypid
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
        and (columns is null or a.attname = any (columns));

    execute format('alter table migration_archive.%I %s', source_name, kept.additions);
    execute format(
        'insert into migration_archive.%I (archived_run, archived_at, %s) select $1, now(), %s from %s as source where %s',
        source_name, kept.names, kept.values, relation, condition) using run;
    get diagnostics saved = row_count;

    insert into migration_control.archived (run_id, relation, rows) values (run, source_name::text, saved);
end
$$;

comment on function migration_control.archive(regclass, text, text[]) is
    'copy the rows that satisfy condition to migration_archive and record their number';

-- Say on a view that it is deprecated, what takes its place, since when and when it goes. docs/api.md: headers are made of it.
create function migration_control.deprecate(old regclass, successor text) returns void
language plpgsql set search_path = ''
as $$
begin
    execute format('comment on view %s is %L', old,
        format('DEPRECATED: use %s; for old clients only since %s, goes away after %s', successor,
            current_setting('harness.deprecated'), current_setting('harness.sunset')));
end
$$;

comment on function migration_control.deprecate(regclass, text) is 'mark a view deprecated, with the plan''s dates';

-- Change something in the catalog, and remember what changes it back.
create function migration_control.reversibly(forward text, back text) returns void
language plpgsql set search_path = ''
as $$
begin
    execute forward;
    insert into migration_control.undo (forward, back) values (forward, back);
end
$$;

-- Undo every such change, the last one first.
create function migration_control.undo_all() returns void
language plpgsql set search_path = ''
as $$
declare
    item record;
begin
    for item in select u.back from migration_control.undo u order by u.place desc loop
        execute item.back;
    end loop;
end
$$;

-- deal is opportunity from here on, in whatever spelling an identifier has it.
create function migration_control.successor_name(old name) returns name
language sql immutable set search_path = ''
as $$
    select replace(replace(replace(replace(replace(old::text,
        'deals', 'opportunities'), 'Deals', 'Opportunities'),
        'deal', 'opportunity'), 'Deal', 'Opportunity'),
        'DEAL', 'OPPORTUNITY')::name
$$;

-- Rename all that hangs on a table and still says deal: constraints (named not-null ones too, where the server has
-- them), indexes, identity sequences, policies, triggers, statistics. Catalog only: no row is read. It runs once a table.
create function migration_control.rename_belongings(relation regclass) returns void
language plpgsql set search_path = ''
as $$
declare
    item record;
    successor name;
    number integer;
begin
    for item in
        select c.conname as old,
            format('alter table %s rename constraint %%I to %%I', relation) as command
        from pg_catalog.pg_constraint c
        where c.conrelid = relation
        union all
        select i.relname, format('alter index %I.%%I rename to %%I', n.nspname)
        from pg_catalog.pg_index x
        join pg_catalog.pg_class i on i.oid = x.indexrelid
        join pg_catalog.pg_namespace n on n.oid = i.relnamespace
        where x.indrelid = relation
            and not exists (select from pg_catalog.pg_constraint c where c.conindid = i.oid and c.contype in ('p', 'u', 'x'))
        union all
        select s.relname, format('alter sequence %I.%%I rename to %%I', n.nspname)
        from pg_catalog.pg_depend d
        join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
        join pg_catalog.pg_namespace n on n.oid = s.relnamespace
        where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
            and d.refobjid = relation and d.deptype in ('a', 'i')
        union all
        select p.polname, format('alter policy %%I on %s rename to %%I', relation)
        from pg_catalog.pg_policy p
        where p.polrelid = relation
        union all
        select t.tgname, format('alter trigger %%I on %s rename to %%I', relation)
        from pg_catalog.pg_trigger t
        where t.tgrelid = relation and not t.tgisinternal
        union all
        select e.stxname, format('alter statistics %I.%%I rename to %%I', n.nspname)
        from pg_catalog.pg_statistic_ext e
        join pg_catalog.pg_namespace n on n.oid = e.stxnamespace
        where e.stxrelid = relation
        order by old, command
    loop
        continue when migration_control.successor_name(item.old) = item.old;
        -- an index that an operator made may have its successor's name taken: then it is numbered
        successor := migration_control.successor_name(item.old);
        number := 1;
        loop
            begin
                perform migration_control.reversibly(
                    format(item.command, item.old, successor), format(item.command, successor, item.old));
                exit;
            exception when duplicate_table or duplicate_object then
                successor := left(migration_control.successor_name(item.old)::text, 58) || '_' || number;
                number := number + 1;
            end;
        end loop;
    end loop;
end
$$;

-- Let a column be NULL. A not-null constraint has a name of its own from Postgres 18 on, and gets it back. A column that
-- may be NULL already stays so, on the way back too.
create function migration_control.drop_not_null(relation regclass, named text) returns void
language plpgsql set search_path = ''
as $$
declare
    constraint_name name := (
        select c.conname from pg_catalog.pg_constraint c
        join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
        where c.conrelid = relation and c.contype = 'n' and a.attname = named
    );
begin
    if not (select a.attnotnull from pg_catalog.pg_attribute a where a.attrelid = relation and a.attname = named) then
        return;
    end if;
    perform migration_control.reversibly(
        format('alter table %s alter column %I drop not null', relation, named),
        case when constraint_name is null
            then format('alter table %s alter column %I set not null', relation, named)
            else format('alter table %s add constraint %I not null %I', relation, constraint_name, named)
        end);
end
$$;
