-- kind: transaction
-- summary: new columns of contacts go; the archive keeps what users put there

lock table public.contacts in access exclusive mode;

select migration_control.archive(
    'public.contacts',
    $$role is not null
        or department is not null
        or is_primary_contact
        or purchase_influence is distinct from 'Unknown'
        or decision_authority is distinct from 'End User'
        or deleted_at is not null$$,
    array['id', 'role', 'department', 'is_primary_contact', 'purchase_influence', 'decision_authority', 'deleted_at']
);

drop trigger contacts_search on public.contacts;
drop function public.contacts_search();

alter table public.contacts
    drop column company_id_backup,
    drop column search_tsv,
    drop column deleted_at,
    drop column decision_authority,
    drop column purchase_influence,
    drop column is_primary_contact,
    drop column department,
    drop column role;
