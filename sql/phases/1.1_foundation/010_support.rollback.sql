-- kind: transaction
-- summary: the plan's own tools go; the ledger and the archive stay

drop function migration_control.drop_not_null(regclass, text);
drop function migration_control.rename_belongings(regclass);
drop function migration_control.successor_name(name);
drop function migration_control.undo_all();
drop function migration_control.reversibly(text, text);
drop function migration_control.deprecate(regclass, text);
drop function migration_control.archive(regclass, text, text[]);
drop function migration_control.unpark_view(text);
drop function migration_control.park_view(regclass);
drop function migration_control.copy_comments(regclass, regclass);
drop function migration_control.copy_grants(regclass, regclass);
drop function migration_control.copy_column_grants(regclass, name, name, regclass);
drop table migration_control.parked;
drop table migration_control.undo;
