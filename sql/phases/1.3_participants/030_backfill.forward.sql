-- kind: batch
-- table: public.opportunities
-- key: id
-- batch_workers: 8
-- summary: one primary customer participant for every opportunity with a customer
--
-- Locks come in the order in which deleting a company takes them. An opportunity under this lock cannot change its
-- customer between the look for a row and the row.

select count(*)
from (
    select from public.companies c
    where c.id in (
        select o.customer_organization_id from public.opportunities o
        where o.id > %(after)s and o.id <= %(upto)s
    )
    order by c.id
    for key share
) as held;

select count(*)
from (
    select from public.opportunities o
    where o.id > %(after)s and o.id <= %(upto)s and o.customer_organization_id is not null
    order by o.id
    for no key update
) as held;

insert into public.opportunity_participants
    (id, created_at, updated_at, opportunity_id, organization_id, role, is_primary)
select d.id, d.created_at, d.created_at, d.opportunity_id, d.organization_id, 'customer', true
from migration_control.derived_opportunity_participants d
where d.opportunity_id > %(after)s and d.opportunity_id <= %(upto)s
    and not exists (
        select from public.opportunity_participants p
        where p.opportunity_id = d.opportunity_id and p.role = 'customer' and p.is_primary and p.deleted_at is null
    )
order by d.id;
