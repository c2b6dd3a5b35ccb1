-- id: verify.indexes
-- severity: critical
-- message: indexes that are missing, or of another definition
-- hint: make the index again, CONCURRENTLY

select e.name as key, coalesce('is ' || a.text, 'is missing') || ', must be ' || e.text as detail
from (values
    ('activities_contact_id_activity_date_idx', 'CREATE INDEX activities_contact_id_activity_date_idx ON public.activities USING btree (contact_id, activity_date)'),
    ('activities_opportunity_id_activity_date_idx', 'CREATE INDEX activities_opportunity_id_activity_date_idx ON public.activities USING btree (opportunity_id, activity_date)'),
    ('activities_organization_id_activity_date_idx', 'CREATE INDEX activities_organization_id_activity_date_idx ON public.activities USING btree (organization_id, activity_date)'),
    ('activities_pkey', 'CREATE UNIQUE INDEX activities_pkey ON public.activities USING btree (id)'),
    ('activities_source_task_id_key', 'CREATE UNIQUE INDEX activities_source_task_id_key ON public.activities USING btree (source_task_id)'),
    ('companies_pkey', 'CREATE UNIQUE INDEX companies_pkey ON public.companies USING btree (id)'),
    ('companies_search_tsv_idx', 'CREATE INDEX companies_search_tsv_idx ON public.companies USING gin (search_tsv)'),
    ('contactNotes_pkey', 'CREATE UNIQUE INDEX "contactNotes_pkey" ON public."contactNotes" USING btree (id)'),
    ('contact_organizations_contact_id_idx', 'CREATE INDEX contact_organizations_contact_id_idx ON public.contact_organizations USING btree (contact_id)'),
    ('contact_organizations_live_key', 'CREATE UNIQUE INDEX contact_organizations_live_key ON public.contact_organizations USING btree (contact_id, organization_id) WHERE (deleted_at IS NULL)'),
    ('contact_organizations_live_primary_key', 'CREATE UNIQUE INDEX contact_organizations_live_primary_key ON public.contact_organizations USING btree (contact_id) WHERE (is_primary AND (deleted_at IS NULL))'),
    ('contact_organizations_organization_id_idx', 'CREATE INDEX contact_organizations_organization_id_idx ON public.contact_organizations USING btree (organization_id)'),
    ('contact_organizations_pkey', 'CREATE UNIQUE INDEX contact_organizations_pkey ON public.contact_organizations USING btree (id)'),
    ('contact_preferred_principals_contact_id_idx', 'CREATE INDEX contact_preferred_principals_contact_id_idx ON public.contact_preferred_principals USING btree (contact_id)'),
    ('contact_preferred_principals_live_key', 'CREATE UNIQUE INDEX contact_preferred_principals_live_key ON public.contact_preferred_principals USING btree (contact_id, principal_organization_id) WHERE (deleted_at IS NULL)'),
    ('contact_preferred_principals_pkey', 'CREATE UNIQUE INDEX contact_preferred_principals_pkey ON public.contact_preferred_principals USING btree (id)'),
    ('contact_preferred_principals_principal_organization_id_idx', 'CREATE INDEX contact_preferred_principals_principal_organization_id_idx ON public.contact_preferred_principals USING btree (principal_organization_id)'),
    ('contacts_company_id_idx', 'CREATE INDEX contacts_company_id_idx ON public.contacts USING btree (company_id) INCLUDE (deleted_at)'),
    ('contacts_first_seen_idx', 'CREATE INDEX contacts_first_seen_idx ON public.contacts USING btree (first_seen, id)'),
    ('contacts_last_seen_idx', 'CREATE INDEX contacts_last_seen_idx ON public.contacts USING btree (last_seen DESC, id)'),
    ('contacts_pkey', 'CREATE UNIQUE INDEX contacts_pkey ON public.contacts USING btree (id)'),
    ('contacts_search_tsv_idx', 'CREATE INDEX contacts_search_tsv_idx ON public.contacts USING gin (search_tsv)'),
    ('interaction_participants_activity_id_idx', 'CREATE INDEX interaction_participants_activity_id_idx ON public.interaction_participants USING btree (activity_id)'),
    ('interaction_participants_contact_id_idx', 'CREATE INDEX interaction_participants_contact_id_idx ON public.interaction_participants USING btree (contact_id)'),
    ('interaction_participants_organization_id_idx', 'CREATE INDEX interaction_participants_organization_id_idx ON public.interaction_participants USING btree (organization_id)'),
    ('interaction_participants_pkey', 'CREATE UNIQUE INDEX interaction_participants_pkey ON public.interaction_participants USING btree (id)'),
    ('opportunities_company_id_idx', 'CREATE INDEX opportunities_company_id_idx ON public.opportunities USING btree (company_id) INCLUDE (deleted_at)'),
    ('opportunities_contact_ids_idx', 'CREATE INDEX opportunities_contact_ids_idx ON public.opportunities USING gin (contact_ids)'),
    ('opportunities_created_at_idx', 'CREATE INDEX opportunities_created_at_idx ON public.opportunities USING btree (created_at, id)'),
    ('opportunities_customer_organization_id_idx', 'CREATE INDEX opportunities_customer_organization_id_idx ON public.opportunities USING btree (customer_organization_id)'),
    ('opportunities_distributor_organization_id_idx', 'CREATE INDEX opportunities_distributor_organization_id_idx ON public.opportunities USING btree (distributor_organization_id)'),
    ('opportunities_expected_closing_date_idx', 'CREATE INDEX opportunities_expected_closing_date_idx ON public.opportunities USING btree (expected_closing_date, id)'),
    ('opportunities_founding_interaction_id_idx', 'CREATE INDEX opportunities_founding_interaction_id_idx ON public.opportunities USING btree (founding_interaction_id) WHERE (founding_interaction_id IS NOT NULL)'),
    ('opportunities_pkey', 'CREATE UNIQUE INDEX opportunities_pkey ON public.opportunities USING btree (id)'),
    ('opportunities_principal_organization_id_idx', 'CREATE INDEX opportunities_principal_organization_id_idx ON public.opportunities USING btree (principal_organization_id)'),
    ('opportunities_sales_id_idx', 'CREATE INDEX opportunities_sales_id_idx ON public.opportunities USING btree (sales_id)'),
    ('opportunities_search_tsv_idx', 'CREATE INDEX opportunities_search_tsv_idx ON public.opportunities USING gin (search_tsv)'),
    ('opportunities_stage_idx', 'CREATE INDEX opportunities_stage_idx ON public.opportunities USING btree (stage) WHERE (deleted_at IS NULL)'),
    ('opportunities_status_idx', 'CREATE INDEX opportunities_status_idx ON public.opportunities USING btree (status) WHERE (deleted_at IS NULL)'),
    ('opportunityNotes_pkey', 'CREATE UNIQUE INDEX "opportunityNotes_pkey" ON public."opportunityNotes" USING btree (id)'),
    ('opportunity_participants_live_key', 'CREATE UNIQUE INDEX opportunity_participants_live_key ON public.opportunity_participants USING btree (opportunity_id, organization_id, role) WHERE (deleted_at IS NULL)'),
    ('opportunity_participants_live_primary_key', 'CREATE UNIQUE INDEX opportunity_participants_live_primary_key ON public.opportunity_participants USING btree (opportunity_id, role) WHERE (is_primary AND (deleted_at IS NULL))'),
    ('opportunity_participants_opportunity_id_idx', 'CREATE INDEX opportunity_participants_opportunity_id_idx ON public.opportunity_participants USING btree (opportunity_id)'),
    ('opportunity_participants_organization_id_idx', 'CREATE INDEX opportunity_participants_organization_id_idx ON public.opportunity_participants USING btree (organization_id)'),
    ('opportunity_participants_pkey', 'CREATE UNIQUE INDEX opportunity_participants_pkey ON public.opportunity_participants USING btree (id)'),
    ('opportunity_products_opportunity_id_idx', 'CREATE INDEX opportunity_products_opportunity_id_idx ON public.opportunity_products USING btree (opportunity_id)'),
    ('opportunity_products_pkey', 'CREATE UNIQUE INDEX opportunity_products_pkey ON public.opportunity_products USING btree (id)'),
    ('sales_pkey', 'CREATE UNIQUE INDEX sales_pkey ON public.sales USING btree (id)'),
    ('uq__sales__user_id', 'CREATE UNIQUE INDEX uq__sales__user_id ON public.sales USING btree (user_id)'),
    ('tags_pkey', 'CREATE UNIQUE INDEX tags_pkey ON public.tags USING btree (id)'),
    ('tasks_pkey', 'CREATE UNIQUE INDEX tasks_pkey ON public.tasks USING btree (id)')
) e (name, text)
left join (
    select i.relname, pg_catalog.pg_get_indexdef(i.oid) as text
    from pg_catalog.pg_class i
    where i.relnamespace = 'public'::pg_catalog.regnamespace and i.relkind = 'i'
) a on a.relname = e.name
where a.text is distinct from e.text
