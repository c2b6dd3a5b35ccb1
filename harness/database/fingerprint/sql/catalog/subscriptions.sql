-- only if: exists (select from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()) and has_table_privilege('pg_subscription', 'select')
-- Subscriptions, which only a superuser sees whole. How one connects holds a password, so only its hash is
-- told. Columns that not every version has are read from the whole row.
select 'subscription ' || quote_ident(s.subname),
  jsonb_build_object('enabled', s.subenabled, 'slot', s.subslotname,
    'publications', (select jsonb_agg(p order by p) from unnest(s.subpublications) p),
    'connection_hash', encode(sha256(textsend(s.subconninfo)), 'hex'),
    'binary', s.subbinary,
    -- up to 15 a boolean: what true asks for is now called on
    'streaming', case s.substream::text when 'true' then 't' when 'false' then 'f' else s.substream::text end,
    -- p and e are both "asked for", before and after the first synchronisation
    'two_phase', s.subtwophasestate <> 'd',
    'disable_on_error', s.subdisableonerr,
    'synchronous_commit', s.subsynccommit,
    'origin', to_jsonb(s) ->> 'suborigin',
    'password_required', to_jsonb(s) ->> 'subpasswordrequired',
    'run_as_owner', to_jsonb(s) ->> 'subrunasowner',
    'failover', to_jsonb(s) ->> 'subfailover')
from pg_subscription s
where s.subdbid = (select oid from pg_database where datname = current_database())
