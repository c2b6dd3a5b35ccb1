-- What the barrier stands on, in a schema of its own. The end of the lease is the value of a sequence,
-- in milliseconds since 1970: a snapshot does not hide it, and what is not renewed ends by itself.
CREATE SCHEMA IF NOT EXISTS migration_maintenance;
COMMENT ON SCHEMA migration_maintenance IS
  'maintenance mode of the migration harness; `harness maintenance off` takes it away';
CREATE SEQUENCE IF NOT EXISTS migration_maintenance.lease;
CREATE TABLE IF NOT EXISTS migration_maintenance.closure (
  id text PRIMARY KEY,
  roles text[] NOT NULL,
  reason text NOT NULL,
  client text NOT NULL,
  held boolean NOT NULL,
  since timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);

-- Default privileges of the database may have given these to the application's roles.
DO $$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT 'SCHEMA migration_maintenance' AS object, a.grantee
    FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a
    WHERE n.nspname = 'migration_maintenance' AND a.grantee <> n.nspowner
    UNION
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END
      || pg_catalog.format('migration_maintenance.%I', c.relname), a.grantee
    FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    WHERE c.relnamespace = 'migration_maintenance'::pg_catalog.regnamespace
      AND a.grantee <> c.relowner
  LOOP
    EXECUTE pg_catalog.format(
      'REVOKE ALL ON %s FROM %s', target.object,
      CASE target.grantee WHEN 0 THEN 'PUBLIC'
        ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(target.grantee)) END);
  END LOOP;
END
$$;
