-- id: verify.sequences
-- severity: critical
-- message: sequences that are behind their column, or not its own: the next insert fails
-- hint: select setval('…', (select max(id) from …))

select s.relation as key, pg_catalog.format('%s stands at %s, the newest id is %s', s.name, s.stands, s.newest) as detail
from (
    select 'activities' as relation, 'public.activities_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.activities_id_seq) as stands
    from public.activities t
union all
    select 'companies' as relation, 'public.companies_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.companies_id_seq) as stands
    from public.companies t
union all
    select 'contactNotes' as relation, 'public."contactNotes_id_seq"' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public."contactNotes_id_seq") as stands
    from public."contactNotes" t
union all
    select 'contact_organizations' as relation, 'public.contact_organizations_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.contact_organizations_id_seq) as stands
    from public.contact_organizations t
union all
    select 'contact_preferred_principals' as relation, 'public.contact_preferred_principals_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.contact_preferred_principals_id_seq) as stands
    from public.contact_preferred_principals t
union all
    select 'contacts' as relation, 'public.contacts_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.contacts_id_seq) as stands
    from public.contacts t
union all
    select 'interaction_participants' as relation, 'public.interaction_participants_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.interaction_participants_id_seq) as stands
    from public.interaction_participants t
union all
    select 'opportunities' as relation, 'public.opportunities_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.opportunities_id_seq) as stands
    from public.opportunities t
union all
    select 'opportunityNotes' as relation, 'public."opportunityNotes_id_seq"' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public."opportunityNotes_id_seq") as stands
    from public."opportunityNotes" t
union all
    select 'opportunity_participants' as relation, 'public.opportunity_participants_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.opportunity_participants_id_seq) as stands
    from public.opportunity_participants t
union all
    select 'opportunity_products' as relation, 'public.opportunity_products_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.opportunity_products_id_seq) as stands
    from public.opportunity_products t
union all
    select 'sales' as relation, 'public.sales_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.sales_id_seq) as stands
    from public.sales t
union all
    select 'tags' as relation, 'public.tags_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.tags_id_seq) as stands
    from public.tags t
union all
    select 'tasks' as relation, 'public.tasks_id_seq' as name, max(t.id) as newest,
        (select case when is_called then last_value else last_value - 1 end from public.tasks_id_seq) as stands
    from public.tasks t
) s
where s.stands < s.newest
    or pg_catalog.pg_get_serial_sequence(pg_catalog.format('public.%I', s.relation), 'id') is distinct from s.name
