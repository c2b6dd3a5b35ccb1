-- kind: batch
-- table: public.contacts
-- key: id
-- batch_workers: 8
-- summary: one live primary organization for every contact with a company
--
-- Locks come in the order in which deleting a company takes them. A contact under this lock cannot change its company
-- between the look for a row and the row.

select count(*)
from (
    select from public.companies o
    where o.id in (
        select c.company_id from public.contacts c
        where c.id > %(after)s and c.id <= %(upto)s
    )
    order by o.id
    for key share
) as held;

select count(*)
from (
    select from public.contacts c
    where c.id > %(after)s and c.id <= %(upto)s and c.company_id is not null
    order by c.id
    for no key update
) as held;

insert into public.contact_organizations
    (id, created_at, updated_at, contact_id, organization_id, is_primary, relationship_start_date)
select d.id, d.created_at, d.created_at, d.contact_id, d.organization_id, true, d.relationship_start_date
from migration_control.derived_contact_organizations d
where d.contact_id > %(after)s and d.contact_id <= %(upto)s
    and not exists (
        select from public.contact_organizations j
        where j.contact_id = d.contact_id and j.is_primary and j.deleted_at is null
    )
order by d.id;
