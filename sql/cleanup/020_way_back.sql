-- kind: transaction
-- summary: the way back goes: parked views, what rows are derived from, the plan's own tools; the ledger stays

drop view if exists migration_control.companies_summary;
drop view if exists migration_control.contacts_summary;
drop view if exists migration_control.deals_summary;
drop view migration_control.derived_activities;
drop view migration_control.derived_opportunity_participants;
drop view migration_control.derived_contact_organizations;
drop function public.deal_stage_of(public.opportunity_stage, text);
drop function public.opportunity_stage_of(text);
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
