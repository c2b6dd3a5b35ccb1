-- kind: transaction
-- summary: validate the constraints of deals; users go on reading and writing

alter table public.deals
    validate constraint opportunities_probability_check,
    validate constraint opportunities_customer_organization_id_fkey,
    validate constraint opportunities_principal_organization_id_fkey,
    validate constraint opportunities_distributor_organization_id_fkey;
