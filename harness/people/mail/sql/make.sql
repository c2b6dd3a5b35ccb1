-- The ledger of mails, version 1: which database may send, under whose lease, and one row a mail.
CREATE SCHEMA migration_mail;
COMMENT ON SCHEMA migration_mail IS 'mails of the migration harness; do not change by hand';

-- One row: whose key sends from this database. `claims` counts, and the key's file counts along:
-- a database that was put back to an earlier state has counted less than its key.
CREATE TABLE migration_mail.sender (
  version integer PRIMARY KEY,
  key_hash text NOT NULL,
  claims bigint NOT NULL DEFAULT 0,
  holder text NOT NULL DEFAULT '',
  epoch bigint NOT NULL DEFAULT 0,
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- Why a key was bound to this database anew.
CREATE TABLE migration_mail.renewal (
  at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  reason text NOT NULL
);

-- Each revision of a window, as it was when a sender first saw it.
CREATE TABLE migration_mail.schedule (
  window_id text NOT NULL,
  revision integer NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  cancelled boolean NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (window_id, revision)
);

-- planned -> sending -> sent | failed | in doubt; planned -> skipped. `doubts` counts the tries of
-- which nobody knows whether they arrived.
CREATE TABLE migration_mail.mail (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  window_id text NOT NULL,
  revision integer NOT NULL,
  kind text NOT NULL,
  run_id bigint NOT NULL,
  recipient text NOT NULL,
  address text NOT NULL,
  name text NOT NULL,
  zone text NOT NULL,
  message_id text NOT NULL UNIQUE,
  due_at timestamptz NOT NULL,
  deadline timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'planned'
    CHECK (state IN ('planned', 'sending', 'sent', 'failed', 'in doubt', 'skipped')),
  reason text NOT NULL DEFAULT '',
  tries integer NOT NULL DEFAULT 0,
  doubts integer NOT NULL DEFAULT 0,
  next_try_at timestamptz NOT NULL,
  dated timestamptz,
  settled_at timestamptz,
  UNIQUE (window_id, revision, kind, run_id, recipient),
  FOREIGN KEY (window_id, revision) REFERENCES migration_mail.schedule
);
CREATE INDEX mail_open ON migration_mail.mail (window_id, next_try_at)
  WHERE state IN ('planned', 'sending', 'in doubt');

-- Addresses are nobody's business: default privileges of the database may have given them away.
DO $$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT 'SCHEMA migration_mail' AS object, a.grantee
    FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a
    WHERE n.nspname = 'migration_mail' AND a.grantee <> n.nspowner
    UNION
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END
      || pg_catalog.format('migration_mail.%I', c.relname), a.grantee
    FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    WHERE c.relnamespace = 'migration_mail'::pg_catalog.regnamespace AND a.grantee <> c.relowner
  LOOP
    EXECUTE pg_catalog.format(
      'REVOKE ALL ON %s FROM %s', target.object,
      CASE target.grantee WHEN 0 THEN 'PUBLIC'
        ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(target.grantee)) END);
  END LOOP;
END
$$;
