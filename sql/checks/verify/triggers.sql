-- id: verify.triggers
-- severity: critical
-- message: triggers that are missing, disabled, left over from the way, or fire otherwise
-- hint: make the trigger again

select coalesce(e.relation, a.relname) || ' ' || coalesce(e.name, a.tgname) as key,
    case when a.tgname is null then 'is missing, must be ' || e.text
    when e.name is null then 'should not be there: ' || a.text
    when a.tgenabled <> 'O' then 'does not fire: tgenabled is ' || a.tgenabled::text
    else 'is ' || a.text || ', must be ' || e.text end as detail
from (values
    ('activities', 'stamp_soft_delete', 'CREATE TRIGGER stamp_soft_delete BEFORE UPDATE ON public.activities FOR EACH ROW WHEN (((old.deleted_at IS NULL) AND (new.deleted_at IS NOT NULL))) EXECUTE FUNCTION public.stamp_soft_delete()'),
    ('companies', 'companies_search', 'CREATE TRIGGER companies_search BEFORE INSERT OR UPDATE OF name, sector, description, website, city ON public.companies FOR EACH ROW EXECUTE FUNCTION public.companies_search()'),
    ('contact_organizations', 'contact_follows_primary_organization', 'CREATE TRIGGER contact_follows_primary_organization AFTER INSERT OR DELETE OR UPDATE OF contact_id, organization_id, is_primary, deleted_at ON public.contact_organizations FOR EACH ROW EXECUTE FUNCTION public.contact_follows_primary_organization()'),
    ('contact_organizations', 'stamp_soft_delete', 'CREATE TRIGGER stamp_soft_delete BEFORE UPDATE ON public.contact_organizations FOR EACH ROW WHEN (((old.deleted_at IS NULL) AND (new.deleted_at IS NOT NULL))) EXECUTE FUNCTION public.stamp_soft_delete()'),
    ('contact_preferred_principals', 'check_principal_organization', 'CREATE TRIGGER check_principal_organization BEFORE INSERT OR UPDATE OF principal_organization_id, deleted_at ON public.contact_preferred_principals FOR EACH ROW WHEN (((new.principal_organization_id IS NOT NULL) AND (new.deleted_at IS NULL))) EXECUTE FUNCTION public.check_principal_organization()'),
    ('contact_preferred_principals', 'stamp_soft_delete', 'CREATE TRIGGER stamp_soft_delete BEFORE UPDATE ON public.contact_preferred_principals FOR EACH ROW WHEN (((old.deleted_at IS NULL) AND (new.deleted_at IS NOT NULL))) EXECUTE FUNCTION public.stamp_soft_delete()'),
    ('contacts', 'contacts_search', 'CREATE TRIGGER contacts_search BEFORE INSERT OR UPDATE OF first_name, last_name, title, department, background, email_jsonb ON public.contacts FOR EACH ROW EXECUTE FUNCTION public.contacts_search()'),
    ('contacts', 'primary_organization_follows_contact', 'CREATE TRIGGER primary_organization_follows_contact AFTER UPDATE ON public.contacts FOR EACH ROW WHEN ((new.company_id IS DISTINCT FROM old.company_id)) EXECUTE FUNCTION public.primary_organization_follows_contact()'),
    ('contacts', 'primary_organization_follows_new_contact', 'CREATE TRIGGER primary_organization_follows_new_contact AFTER INSERT ON public.contacts FOR EACH ROW WHEN ((new.company_id IS NOT NULL)) EXECUTE FUNCTION public.primary_organization_follows_contact()'),
    ('opportunities', 'opportunities_derive', 'CREATE TRIGGER opportunities_derive BEFORE INSERT OR UPDATE OF company_id, customer_organization_id, stage, stage_manual, probability, expected_closing_date, estimated_close_date ON public.opportunities FOR EACH ROW EXECUTE FUNCTION public.opportunities_derive()'),
    ('opportunities', 'opportunities_search', 'CREATE TRIGGER opportunities_search BEFORE INSERT OR UPDATE OF name, description, category, next_action ON public.opportunities FOR EACH ROW EXECUTE FUNCTION public.opportunities_search()'),
    ('opportunities', 'primary_customer_follows_new_opportunity', 'CREATE TRIGGER primary_customer_follows_new_opportunity AFTER INSERT ON public.opportunities FOR EACH ROW WHEN ((new.customer_organization_id IS NOT NULL)) EXECUTE FUNCTION public.primary_customer_follows_opportunity()'),
    ('opportunities', 'primary_customer_follows_opportunity', 'CREATE TRIGGER primary_customer_follows_opportunity AFTER UPDATE ON public.opportunities FOR EACH ROW WHEN ((new.customer_organization_id IS DISTINCT FROM old.customer_organization_id)) EXECUTE FUNCTION public.primary_customer_follows_opportunity()'),
    ('opportunity_participants', 'check_participant_role', 'CREATE TRIGGER check_participant_role BEFORE INSERT OR UPDATE OF organization_id, role, deleted_at ON public.opportunity_participants FOR EACH ROW WHEN ((((new.role)::text = ANY ((ARRAY[''principal''::character varying, ''distributor''::character varying])::text[])) AND (new.deleted_at IS NULL))) EXECUTE FUNCTION public.check_participant_role()'),
    ('opportunity_participants', 'opportunity_follows_primary_customer', 'CREATE TRIGGER opportunity_follows_primary_customer AFTER INSERT OR DELETE OR UPDATE OF opportunity_id, organization_id, role, is_primary, deleted_at ON public.opportunity_participants FOR EACH ROW EXECUTE FUNCTION public.opportunity_follows_primary_customer()'),
    ('opportunity_participants', 'stamp_soft_delete', 'CREATE TRIGGER stamp_soft_delete BEFORE UPDATE ON public.opportunity_participants FOR EACH ROW WHEN (((old.deleted_at IS NULL) AND (new.deleted_at IS NOT NULL))) EXECUTE FUNCTION public.stamp_soft_delete()')
) e (relation, name, text)
full join (
    select c.relname, t.tgname, t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid) as text,
        t.tgname = 'deals_lead_opportunities'
            or f.pronamespace = pg_catalog.to_regnamespace('migration_control')::oid as ours
    from pg_catalog.pg_trigger t
    join pg_catalog.pg_proc f on f.oid = t.tgfoid
    join pg_catalog.pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'public'::pg_catalog.regnamespace and not t.tgisinternal
) a on a.relname = e.relation and a.tgname = e.name
where (e.name is not null or a.ours) and (a.text is distinct from e.text or a.tgenabled <> 'O')
