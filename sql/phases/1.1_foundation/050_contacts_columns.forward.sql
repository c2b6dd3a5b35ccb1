-- kind: transaction
-- summary: new columns of contacts, and the trigger that keeps their search text

alter table public.contacts
    add column role public.contact_role,
    add column department text,
    add column is_primary_contact boolean not null default false,
    add column purchase_influence varchar(10) default 'Unknown',
    add column decision_authority varchar(20) default 'End User',
    add column deleted_at timestamptz,
    add column search_tsv tsvector,
    add column company_id_backup bigint;

comment on column public.contacts.company_id_backup is 'company_id before the migration, kept until the clean-up';

alter table public.contacts
    add constraint contacts_purchase_influence_check
        check (purchase_influence in ('High', 'Medium', 'Low', 'Unknown')) not valid,
    add constraint contacts_decision_authority_check
        check (decision_authority in ('Decision Maker', 'Influencer', 'End User', 'Gatekeeper')) not valid;

-- email_jsonb should be an array of objects, but holds whatever was put there: the path is lax, takes an object for an
-- array of one, and lets only texts through. Length as in companies_search.
create function public.contacts_search() returns trigger
language plpgsql set search_path = ''
as $$
begin
    new.search_tsv := to_tsvector('pg_catalog.english'::regconfig,
        left(concat_ws(' ', new.first_name, new.last_name, new.title, new.department,
            jsonb_path_query_array(new.email_jsonb, 'lax $[*].email ? (@.type() == "string")')::text,
            new.background), 120000));
    return new;
end
$$;

revoke all on function public.contacts_search() from public, anon;

create trigger contacts_search
    before insert or update of first_name, last_name, title, department, background, email_jsonb on public.contacts
    for each row execute function public.contacts_search();
