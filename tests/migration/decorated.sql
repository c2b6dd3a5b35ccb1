-- name: decorated
-- What an operator may have added to the old schema, and must find again on both ways.
comment on table public.deals is 'what we sell';
comment on column public.deals.amount is 'in euros';
comment on column public.deals.name is 'as the customer says it';
comment on table public."dealNotes" is 'what we said';
comment on column public."dealNotes".text is 'markdown';
comment on view public.deals_summary is 'for the report';
comment on column public.deals_summary.company_name is 'of the buyer';
comment on view public.companies_summary is 'for the list';
comment on column public.companies_summary.nb_deals is 'ever';
comment on view public.contacts_summary is 'for search';
comment on column public.contacts_summary.nb_tasks is 'done too';
grant select (name, stage), update (stage) on public.deals to pg_monitor;
grant update (amount) on public.deals to pg_monitor with grant option;
grant select (stage) on public.deals to public;
grant select on public.deals to pg_monitor with grant option;
grant select (text) on public."dealNotes" to pg_monitor;
grant select (name, company_name) on public.deals_summary to pg_monitor;
grant select on public.companies_summary to public;
grant select (nb_deals) on public.companies_summary to pg_monitor;
grant insert (name) on public.companies_summary to pg_monitor with grant option;
grant select (first_name) on public.contacts_summary to pg_monitor;
grant select on sequence public.deals_id_seq to pg_monitor;
revoke insert on public.contacts_summary from anon;
create index deals_amount_idx on public.deals (amount);
create index opportunities_created_idx on public.companies (created_at);
create index deals_created_idx on public.deals (created_at);
create index "dealNotes_date_idx" on public."dealNotes" (date);
create index "Deals_of_Deal_and_DEAL_idx" on public.deals (sales_id);
create index deals_of_a_name_as_long_as_a_name_may_be_and_longer_still_idx on public.deals (updated_at);
create statistics public.deals_by_category on category, sales_id from public.deals;
alter table public.deals add constraint deals_twice_key unique (id, name);
alter table public.deals add constraint deals_apart_excl exclude using btree (id with =);
create function public.keep_deal() returns trigger language plpgsql set search_path = '' as 'begin return new; end';
create trigger keep_deal before update on public.deals for each row execute function public.keep_deal();
alter default privileges in schema public grant select on tables to public;

-- name: owned
-- Relations that belong to another role, and views with other options.
alter table public.deals owner to service_role;
alter view public.deals_summary owner to service_role;
alter view public.deals_summary set (security_invoker = off);
alter view public.companies_summary set (security_invoker = true);
alter view public.contacts_summary set (security_barrier = on);
create policy "deal readers" on public.deals for select to service_role using (true);
create function public.keep_deal() returns trigger language plpgsql set search_path = '' as 'begin return new; end';
create policy "Deals and deals" on public."contactNotes" for select to service_role using (true);
alter table public.deals add constraint deal_is_named check (name <> '') not valid;
alter table public.deals add constraint deal_has_stage check (stage <> '');
-- called after deals, but of other tables
create index deals_of_contacts_idx on public.contacts (first_seen);
create statistics public.deals_of_contacts on first_name, last_name from public.contacts;
alter table public.tasks add constraint deals_of_tasks check (id <> 0);
create trigger keep_deal before update on public.tasks for each row execute function public.keep_deal();
do $$
begin
    if current_setting('server_version_num')::int >= 180000 then -- a not-null constraint has a name there
        alter table public.deals rename constraint deals_stage_not_null to stage_of_deal;
    end if;
end
$$;

-- name: bare
-- Without what the application can do without.
drop view public.deals_summary;
revoke all on public.deals from anon;
revoke all on public."dealNotes" from service_role
