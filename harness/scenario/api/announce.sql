-- A pre-request function for PostgREST (`db-pre-request`, with the schema that it is made in). Of a relation that is commented
--     DEPRECATED: use SUCCESSOR; … since YYYY-MM-DD, … after YYYY-MM-DD
-- each answer gets the headers Deprecation (RFC 9745), Sunset (RFC 8594) and Link. It belongs to the platform and is there
-- before a migration and after it: a migration writes comments, a rollback takes them away with the views. The schema is the
-- first of the search path of who calls it, which PostgREST sets to the one that is asked.
create or replace function announce_deprecation(shown text default current_schema()) returns void
language plpgsql set search_path = ''
as $$
declare
    path constant text := coalesce(current_setting('request.path', true), '');
    place constant text := substring(path from '^(.*/)[^/]*$');
    said text;
    successor text[];
    since date;
    sunset date;
    headers jsonb;
    links text;
begin
    if path ~ '/rpc/[^/]*$' then
        return;
    end if;

    select d.description into said
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_description d
        on d.classoid = 'pg_catalog.pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0
    where n.nspname = shown and c.relname = substring(path from '[^/]*$') and d.description ~ '^DEPRECATED\M';
    if not found then
        return;
    end if;

    -- A comment that is written badly must not refuse a request: it announces less.
    begin
        since := substring(said from 'since (\d{4}-\d\d-\d\d)')::date;
        sunset := substring(said from 'after (\d{4}-\d\d-\d\d)')::date;
        successor := parse_ident(substring(said from 'use ([^;]+);'));
    exception when data_exception then
        null;
    end;

    headers := coalesce(nullif(current_setting('response.headers', true), '')::jsonb, '[]');
    links := format('<%s>; rel="deprecation", <%s>; rel="sunset"', place, place);
    if successor is not null then
        links := format('<%s%s>; rel="successor-version", %s', place, successor[cardinality(successor)], links);
    end if;
    if since is not null then
        headers := headers || jsonb_build_array(
            jsonb_build_object('Deprecation', '@' || extract(epoch from since::timestamp)::bigint));
    end if;
    if sunset is not null then
        headers := headers || jsonb_build_array(
            jsonb_build_object('Sunset', to_char(sunset, 'Dy, DD Mon YYYY "23:59:59 GMT"')));
    end if;
    headers := headers || jsonb_build_array(jsonb_build_object('Link', links));
    perform set_config('response.headers', headers::text, true);
end
$$;

comment on function announce_deprecation(text) is 'headers Deprecation, Sunset and Link from the comments of relations';
