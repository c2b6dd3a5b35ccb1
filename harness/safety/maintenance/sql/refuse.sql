-- The body of the barrier's trigger function. Whose statement it is, the role that was set says:
-- inside a function that is SECURITY DEFINER, current_user is its owner. Roles and reason stand
-- here as constants, for an old snapshot would not see them in a table.
DECLARE
  whose text := pg_catalog.current_setting('role');
  now bigint;
  until bigint;
BEGIN
  IF whose = 'none' THEN
    whose := session_user;
  END IF;
  IF whose <> ALL ({roles}::text[]) THEN
    RETURN NULL;
  END IF;
  now := (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) * 1000)::bigint;
  until := pg_catalog.pg_sequence_last_value('migration_maintenance.lease');
  -- a lease that ends later than any lease may is a clock that was set back: it does not count
  IF until > now AND until <= now + {longest} THEN
    RAISE EXCEPTION USING
      ERRCODE = 'read_only_sql_transaction',
      MESSAGE = 'the database is read-only for maintenance until '
        || pg_catalog.to_char(pg_catalog.to_timestamp(until / 1000.0) AT TIME ZONE 'UTC',
          'YYYY-MM-DD HH24:MI:SS "UTC"') || ': ' || {reason},
      DETAIL = pg_catalog.format('%s by role %I on %I.%I', TG_OP, whose, TG_TABLE_SCHEMA,
        TG_TABLE_NAME),
      HINT = 'try again when the maintenance is over';
  END IF;
  RETURN NULL;
END
