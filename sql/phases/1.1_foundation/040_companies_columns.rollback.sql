-- kind: transaction
-- summary: new columns of companies go; the archive keeps what users put there

lock table public.companies in access exclusive mode;

select migration_control.archive(
    'public.companies',
    $$organization_type <> 'customer'
        or is_principal
        or is_distributor
        or parent_company_id is not null
        or segment is distinct from 'Standard'
        or priority is distinct from 'C'
        or deleted_at is not null
        or import_session_id is not null$$,
    array['id', 'organization_type', 'is_principal', 'is_distributor', 'parent_company_id', 'segment', 'priority',
        'deleted_at', 'import_session_id']
);

drop trigger companies_search on public.companies;
drop function public.companies_search();

alter table public.companies
    drop column search_tsv,
    drop column import_session_id,
    drop column deleted_at,
    drop column priority,
    drop column segment,
    drop column parent_company_id,
    drop column is_distributor,
    drop column is_principal,
    drop column organization_type;
