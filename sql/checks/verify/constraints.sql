-- id: verify.constraints
-- severity: critical
-- message: constraints that are missing, never validated, or say something else
-- hint: add the constraint again: NOT VALID first, then VALIDATE

select e.relation || ' ' || e.name as key, coalesce('is ' || a.text, 'is missing') || ', must be ' || e.text as detail
from (values
    ('contactNotes', 'contactNotes_contact_id_fkey', 'FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('contactNotes', 'contactNotes_pkey', 'PRIMARY KEY (id)'),
    ('contactNotes', 'contactNotes_sales_id_fkey', 'FOREIGN KEY (sales_id) REFERENCES public.sales(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('opportunityNotes', 'opportunityNotes_opportunity_id_fkey', 'FOREIGN KEY (opportunity_id) REFERENCES public.opportunities(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('opportunityNotes', 'opportunityNotes_pkey', 'PRIMARY KEY (id)'),
    ('opportunityNotes', 'opportunityNotes_sales_id_fkey', 'FOREIGN KEY (sales_id) REFERENCES public.sales(id)'),
    ('activities', 'activities_contact_id_fkey', 'FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('activities', 'activities_contact_or_organization_check', 'CHECK (((contact_id IS NOT NULL) OR (organization_id IS NOT NULL)))'),
    ('activities', 'activities_created_by_fkey', 'FOREIGN KEY (created_by) REFERENCES public.sales(id)'),
    ('activities', 'activities_interaction_has_opportunity_check', 'CHECK (((activity_type <> ''interaction''::public.activity_type) OR (opportunity_id IS NOT NULL)))'),
    ('activities', 'activities_opportunity_id_fkey', 'FOREIGN KEY (opportunity_id) REFERENCES public.opportunities(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('activities', 'activities_organization_id_fkey', 'FOREIGN KEY (organization_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('activities', 'activities_pkey', 'PRIMARY KEY (id)'),
    ('activities', 'activities_sentiment_check', 'CHECK (((sentiment)::text = ANY ((ARRAY[''positive''::character varying, ''neutral''::character varying, ''negative''::character varying])::text[])))'),
    ('activities', 'activities_source_task_id_key', 'UNIQUE (source_task_id)'),
    ('companies', 'companies_parent_company_id_fkey', 'FOREIGN KEY (parent_company_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE SET NULL'),
    ('companies', 'companies_pkey', 'PRIMARY KEY (id)'),
    ('companies', 'companies_priority_check', 'CHECK (((priority)::text = ANY ((ARRAY[''A''::character varying, ''B''::character varying, ''C''::character varying, ''D''::character varying])::text[])))'),
    ('companies', 'companies_sales_id_fkey', 'FOREIGN KEY (sales_id) REFERENCES public.sales(id)'),
    ('contact_organizations', 'contact_organizations_contact_id_fkey', 'FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('contact_organizations', 'contact_organizations_created_by_fkey', 'FOREIGN KEY (created_by) REFERENCES public.sales(id)'),
    ('contact_organizations', 'contact_organizations_decision_authority_check', 'CHECK (((decision_authority)::text = ANY ((ARRAY[''Decision Maker''::character varying, ''Influencer''::character varying, ''End User''::character varying, ''Gatekeeper''::character varying])::text[])))'),
    ('contact_organizations', 'contact_organizations_organization_id_fkey', 'FOREIGN KEY (organization_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('contact_organizations', 'contact_organizations_pkey', 'PRIMARY KEY (id)'),
    ('contact_organizations', 'contact_organizations_purchase_influence_check', 'CHECK (((purchase_influence)::text = ANY ((ARRAY[''High''::character varying, ''Medium''::character varying, ''Low''::character varying, ''Unknown''::character varying])::text[])))'),
    ('contact_preferred_principals', 'contact_preferred_principals_advocacy_strength_check', 'CHECK (((advocacy_strength >= 1) AND (advocacy_strength <= 10)))'),
    ('contact_preferred_principals', 'contact_preferred_principals_contact_id_fkey', 'FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('contact_preferred_principals', 'contact_preferred_principals_created_by_fkey', 'FOREIGN KEY (created_by) REFERENCES public.sales(id)'),
    ('contact_preferred_principals', 'contact_preferred_principals_pkey', 'PRIMARY KEY (id)'),
    ('contact_preferred_principals', 'contact_preferred_principals_principal_organization_id_fkey', 'FOREIGN KEY (principal_organization_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('contact_preferred_principals', 'contact_preferred_principals_purchase_influence_check', 'CHECK (((purchase_influence_for_principal)::text = ANY ((ARRAY[''High''::character varying, ''Medium''::character varying, ''Low''::character varying, ''Unknown''::character varying])::text[])))'),
    ('contact_preferred_principals', 'contact_preferred_principals_relationship_type_check', 'CHECK (((relationship_type)::text = ANY ((ARRAY[''professional''::character varying, ''personal''::character varying, ''historical''::character varying, ''competitive''::character varying])::text[])))'),
    ('contacts', 'contacts_company_id_fkey', 'FOREIGN KEY (company_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('contacts', 'contacts_decision_authority_check', 'CHECK (((decision_authority)::text = ANY ((ARRAY[''Decision Maker''::character varying, ''Influencer''::character varying, ''End User''::character varying, ''Gatekeeper''::character varying])::text[])))'),
    ('contacts', 'contacts_pkey', 'PRIMARY KEY (id)'),
    ('contacts', 'contacts_purchase_influence_check', 'CHECK (((purchase_influence)::text = ANY ((ARRAY[''High''::character varying, ''Medium''::character varying, ''Low''::character varying, ''Unknown''::character varying])::text[])))'),
    ('contacts', 'contacts_sales_id_fkey', 'FOREIGN KEY (sales_id) REFERENCES public.sales(id)'),
    ('interaction_participants', 'interaction_participants_activity_id_fkey', 'FOREIGN KEY (activity_id) REFERENCES public.activities(id) ON DELETE CASCADE'),
    ('interaction_participants', 'interaction_participants_contact_id_fkey', 'FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('interaction_participants', 'interaction_participants_contact_or_organization_check', 'CHECK (((contact_id IS NOT NULL) OR (organization_id IS NOT NULL)))'),
    ('interaction_participants', 'interaction_participants_organization_id_fkey', 'FOREIGN KEY (organization_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('interaction_participants', 'interaction_participants_pkey', 'PRIMARY KEY (id)'),
    ('opportunities', 'opportunities_company_id_fkey', 'FOREIGN KEY (company_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('opportunities', 'opportunities_customer_organization_id_fkey', 'FOREIGN KEY (customer_organization_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('opportunities', 'opportunities_distributor_organization_id_fkey', 'FOREIGN KEY (distributor_organization_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE SET NULL'),
    ('opportunities', 'opportunities_founding_interaction_id_fkey', 'FOREIGN KEY (founding_interaction_id) REFERENCES public.activities(id) ON DELETE SET NULL'),
    ('opportunities', 'opportunities_pkey', 'PRIMARY KEY (id)'),
    ('opportunities', 'opportunities_principal_organization_id_fkey', 'FOREIGN KEY (principal_organization_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE SET NULL'),
    ('opportunities', 'opportunities_probability_check', 'CHECK (((probability >= 0) AND (probability <= 100)))'),
    ('opportunities', 'opportunities_sales_id_fkey', 'FOREIGN KEY (sales_id) REFERENCES public.sales(id)'),
    ('opportunity_participants', 'opportunity_participants_created_by_fkey', 'FOREIGN KEY (created_by) REFERENCES public.sales(id)'),
    ('opportunity_participants', 'opportunity_participants_opportunity_id_fkey', 'FOREIGN KEY (opportunity_id) REFERENCES public.opportunities(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('opportunity_participants', 'opportunity_participants_organization_id_fkey', 'FOREIGN KEY (organization_id) REFERENCES public.companies(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('opportunity_participants', 'opportunity_participants_pkey', 'PRIMARY KEY (id)'),
    ('opportunity_participants', 'opportunity_participants_role_check', 'CHECK (((role)::text = ANY ((ARRAY[''customer''::character varying, ''principal''::character varying, ''distributor''::character varying, ''partner''::character varying, ''competitor''::character varying])::text[])))'),
    ('opportunity_products', 'opportunity_products_created_by_fkey', 'FOREIGN KEY (created_by) REFERENCES public.sales(id)'),
    ('opportunity_products', 'opportunity_products_discount_percent_check', 'CHECK (((discount_percent >= (0)::numeric) AND (discount_percent <= (100)::numeric)))'),
    ('opportunity_products', 'opportunity_products_opportunity_id_fkey', 'FOREIGN KEY (opportunity_id) REFERENCES public.opportunities(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('opportunity_products', 'opportunity_products_pkey', 'PRIMARY KEY (id)'),
    ('opportunity_products', 'opportunity_products_quantity_check', 'CHECK ((quantity > 0))'),
    ('sales', 'sales_pkey', 'PRIMARY KEY (id)'),
    ('sales', 'sales_user_id_fkey', 'FOREIGN KEY (user_id) REFERENCES auth.users(id)'),
    ('tags', 'tags_pkey', 'PRIMARY KEY (id)'),
    ('tasks', 'tasks_contact_id_fkey', 'FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON UPDATE CASCADE ON DELETE CASCADE'),
    ('tasks', 'tasks_pkey', 'PRIMARY KEY (id)')
) e (relation, name, text)
left join (
    select c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid) as text
    from pg_catalog.pg_constraint k
    join pg_catalog.pg_class c on c.oid = k.conrelid
    where k.connamespace = 'public'::pg_catalog.regnamespace
) a on a.relname = e.relation and a.conname = e.name
where a.text is distinct from e.text
