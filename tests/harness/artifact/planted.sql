-- What breaks and is declared nowhere; and, at the end, what does not break.
set client_min_messages = error;
create publication leads for table public.deals;
insert into cron.job (schedule, jobname, command) values ('@daily', 'empty', 'truncate public.deals cascade');
create view reports.lost_deals as select id from public.deals where stage = 'lost';
create function reports.newest() returns bigint language plpgsql
as 'begin return currval(''public.deals_id_seq''); end';
create function reports.enters() returns trigger language plpgsql
as 'begin insert into reports.saved_requests (path) values (''/'' || new.deal_id); return null; end';
create trigger enters after insert on public."dealNotes" for each row execute function reports.enters();
create foreign table reports.notes (deal_id bigint, text text) server crm_itself options (schema_name 'public', table_name 'dealNotes');
insert into reports.saved_requests (path) values ('/dealNotes?select=id,deals!dealNotes_deal_id_fkey!inner(name)');

create view reports.tag_names as select name from public.tags;
insert into cron.job (schedule, jobname, command) values ('@daily', 'notes', 'copy public.tags to stdout');
