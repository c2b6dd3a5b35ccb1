-- The outbox, version 1. Made in one transaction.
CREATE SCHEMA migration_outbox;
COMMENT ON SCHEMA migration_outbox IS 'webhooks that wait for their receivers; kept by the migration harness';

-- Whose events these are: a copy of the database holds the row too, and its sender refuses.
CREATE TABLE migration_outbox.outbox (
  version integer PRIMARY KEY,
  system_identifier bigint,
  database oid NOT NULL,
  installed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who is told what. URL and secrets stand in a file of the sender's, never here.
CREATE TABLE migration_outbox.endpoint (
  name text PRIMARY KEY,
  vocabulary text NOT NULL,
  types text[] NOT NULL DEFAULT '{}',
  registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  failures integer NOT NULL DEFAULT 0,
  rests_until timestamptz,
  disabled_at timestamptz,
  disabled_for text,
  sunset_told date
);

-- One change in one vocabulary. The body is frozen: it is sent byte for byte, however often.
CREATE TABLE migration_outbox.event (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL CHECK (id ~ '^[A-Za-z0-9_-]{1,80}$'),
  vocabulary text NOT NULL,
  type text NOT NULL,
  key text NOT NULL,
  body text NOT NULL,
  queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (id, vocabulary)
);

-- What an endpoint is owed. No reference to it: each writer would lock its row.
CREATE TABLE migration_outbox.delivery (
  endpoint text NOT NULL,
  seq bigint NOT NULL REFERENCES migration_outbox.event ON DELETE CASCADE,
  key text NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'given-up')),
  attempts integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  outcome text NOT NULL DEFAULT '',
  PRIMARY KEY (endpoint, seq)
);
CREATE INDEX delivery_pending ON migration_outbox.delivery (endpoint, key, seq) WHERE state = 'pending';
CREATE INDEX delivery_due ON migration_outbox.delivery (endpoint, seq) WHERE state = 'pending';
CREATE INDEX delivery_seq ON migration_outbox.delivery (seq);

-- Queue one change in one vocabulary, in the transaction that makes it; gives its id. The same change
-- in the other vocabulary is queued under the same id: whoever listens to both knows it again.
-- `key` says of which row it is, by the same text before and after the migration: events of one key
-- arrive in order. To be called while the row is locked, as in a trigger FOR EACH ROW.
CREATE FUNCTION migration_outbox.enqueue(
  vocabulary text, type text, key text, payload jsonb, id text DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
  given constant text := coalesce(
    enqueue.id, 'msg_' || pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''));
  listeners constant text[] := ARRAY(
    SELECT e.name FROM migration_outbox.endpoint AS e
    WHERE e.vocabulary = enqueue.vocabulary AND e.disabled_at IS NULL
      AND (e.types = '{}' OR enqueue.type = ANY (e.types)));
  queued bigint;
BEGIN
  IF pg_catalog.cardinality(listeners) > 0 THEN
    INSERT INTO migration_outbox.event (id, vocabulary, type, key, body)
    VALUES (given, enqueue.vocabulary, enqueue.type, enqueue.key, payload::text)
    RETURNING seq INTO queued;
    INSERT INTO migration_outbox.delivery (endpoint, seq, key)
    SELECT name, queued, enqueue.key FROM pg_catalog.unnest(listeners) AS name;
  END IF;
  RETURN given;
END
$$;

-- Default privileges of the database may have given these to the application's roles. A trigger
-- function that queues is SECURITY DEFINER, so that its writers need no right here.
DO $$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT 'SCHEMA migration_outbox' AS object, a.grantee
    FROM pg_catalog.pg_namespace n,
      pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
    WHERE n.nspname = 'migration_outbox' AND a.grantee <> n.nspowner
    UNION
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END
      || pg_catalog.format('migration_outbox.%I', c.relname), a.grantee
    FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    WHERE c.relnamespace = 'migration_outbox'::pg_catalog.regnamespace
      AND a.grantee <> c.relowner AND c.relkind IN ('r', 'S')
    UNION
    SELECT 'FUNCTION ' || p.oid::pg_catalog.regprocedure, a.grantee
    FROM pg_catalog.pg_proc p,
      pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    WHERE p.pronamespace = 'migration_outbox'::pg_catalog.regnamespace AND a.grantee <> p.proowner
  LOOP
    EXECUTE pg_catalog.format(
      'REVOKE ALL ON %s FROM %s', target.object,
      CASE target.grantee WHEN 0 THEN 'PUBLIC'
        ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(target.grantee)) END);
  END LOOP;
END
$$;
