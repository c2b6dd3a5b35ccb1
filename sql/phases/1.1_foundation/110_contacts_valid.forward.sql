-- kind: transaction
-- summary: validate the constraints of contacts; users go on reading and writing

alter table public.contacts
    validate constraint contacts_purchase_influence_check,
    validate constraint contacts_decision_authority_check;
