-- Take away everything that pin_install.sql or pin_record.sql put there.
SET client_min_messages = warning;
DROP EVENT TRIGGER IF EXISTS migration_pin;
DROP SCHEMA IF EXISTS migration_pin CASCADE;
