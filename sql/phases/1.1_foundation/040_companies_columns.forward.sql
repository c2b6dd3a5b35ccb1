-- kind: transaction
-- summary: new columns of companies, and the trigger that keeps their search text
--
-- Defaults are constants, so no row is rewritten; constraints come unvalidated, so no row is read.

alter table public.companies
    add column organization_type public.organization_type not null default 'customer',
    add column is_principal boolean not null default false,
    add column is_distributor boolean not null default false,
    add column parent_company_id bigint,
    add column segment text default 'Standard',
    add column priority varchar(1) default 'C',
    add column deleted_at timestamptz,
    add column import_session_id uuid,
    add column search_tsv tsvector;

alter table public.companies
    add constraint companies_priority_check check (priority in ('A', 'B', 'C', 'D')) not valid,
    add constraint companies_parent_company_id_fkey foreign key (parent_company_id)
        references public.companies (id) on update cascade on delete set null not valid;

-- A tsvector holds less than 1 MB. The densest text (words of 4-byte letters, hyphenated in pairs) needs 8 bytes a
-- character, so the first 120,000 characters always fit and no write fails for its length; what lies beyond is not
-- searched.
create function public.companies_search() returns trigger
language plpgsql set search_path = ''
as $$
begin
    new.search_tsv := to_tsvector('pg_catalog.english'::regconfig,
        left(concat_ws(' ', new.name, new.sector, new.city, new.website, new.description), 120000));
    return new;
end
$$;

revoke all on function public.companies_search() from public, anon;

create trigger companies_search
    before insert or update of name, sector, description, website, city on public.companies
    for each row execute function public.companies_search();
