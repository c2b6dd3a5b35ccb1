-- id: verify.views
-- severity: critical
-- message: views that are missing, or answer in other columns, types or order
-- hint: make the view again; old clients read by these columns

select e.name as key, coalesce('has ' || a.columns, 'is missing') as detail
from (values
    ('companies_summary', 'id bigint, created_at timestamp with time zone, name text, sector text, size smallint, linkedin_url text, website text, phone_number text, address text, zipcode text, city text, stateAbbr text, sales_id bigint, context_links json, country text, description text, revenue text, tax_identifier text, logo jsonb, nb_deals bigint, nb_contacts bigint, nb_opportunities bigint, organization_type public.organization_type, is_principal boolean, is_distributor boolean, parent_company_id bigint, segment text, priority character varying(1), deleted_at timestamp with time zone, import_session_id uuid'),
    ('contacts_summary', 'id bigint, first_name text, last_name text, gender text, title text, email_jsonb jsonb, email_fts text, phone_jsonb jsonb, phone_fts text, background text, avatar jsonb, first_seen timestamp with time zone, last_seen timestamp with time zone, has_newsletter boolean, status text, tags bigint[], company_id bigint, sales_id bigint, linkedin_url text, company_name text, nb_tasks bigint, nb_organizations bigint, role public.contact_role, department text, is_primary_contact boolean, purchase_influence character varying(10), decision_authority character varying(20), deleted_at timestamp with time zone'),
    ('init_state', 'is_initialized bigint'),
    ('opportunities_summary', 'id bigint, name text, company_id bigint, contact_ids bigint[], category text, stage public.opportunity_stage, description text, amount bigint, created_at timestamp with time zone, updated_at timestamp with time zone, archived_at timestamp with time zone, expected_closing_date timestamp with time zone, sales_id bigint, index smallint, status public.opportunity_status, priority public.priority_level, probability integer, estimated_close_date date, actual_close_date date, customer_organization_id bigint, principal_organization_id bigint, distributor_organization_id bigint, founding_interaction_id bigint, stage_manual boolean, status_manual boolean, next_action text, next_action_date date, competition text, decision_criteria text, deleted_at timestamp with time zone, company_name text, contact_names text[], nb_notes bigint')
) e (name, columns)
left join (
    select c.relname, pg_catalog.string_agg(
        a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum) as columns
    from pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind = 'v'
    group by c.relname
) a on a.relname = e.name
where a.columns is distinct from e.columns
