-- kind: transaction
-- summary: the archive goes, if a rollback ever made one

drop schema if exists migration_archive cascade;
