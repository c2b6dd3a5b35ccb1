-- id: verify.indexes_surface
-- severity: critical
-- message: indexes of the compatibility views that are missing, or of another definition
-- hint: make the index again, CONCURRENTLY
-- until: cleanup

select e.name as key, coalesce('is ' || a.text, 'is missing') || ', must be ' || e.text as detail
from (values
    ('opportunities_legacy_stage_idx', 'CREATE INDEX opportunities_legacy_stage_idx ON public.opportunities USING btree ((
CASE stage
    WHEN ''lead''::public.opportunity_stage THEN
    CASE
        WHEN ((stage_backup IS NULL) OR (stage_backup = ANY (ARRAY[''proposal-sent''::text, ''in-negociation''::text, ''won''::text, ''lost''::text, ''delayed''::text, ''qualified''::text, ''needs_analysis''::text, ''proposal''::text, ''negotiation''::text, ''closed_won''::text, ''closed_lost''::text, ''nurturing''::text]))) THEN ''opportunity''::text
        ELSE stage_backup
    END
    WHEN ''qualified''::public.opportunity_stage THEN
    CASE stage_backup
        WHEN ''qualified''::text THEN ''qualified''::text
        ELSE ''opportunity''::text
    END
    WHEN ''needs_analysis''::public.opportunity_stage THEN
    CASE stage_backup
        WHEN ''needs_analysis''::text THEN ''needs_analysis''::text
        ELSE ''opportunity''::text
    END
    WHEN ''proposal''::public.opportunity_stage THEN
    CASE stage_backup
        WHEN ''proposal''::text THEN ''proposal''::text
        ELSE ''proposal-sent''::text
    END
    WHEN ''negotiation''::public.opportunity_stage THEN
    CASE stage_backup
        WHEN ''negotiation''::text THEN ''negotiation''::text
        ELSE ''in-negociation''::text
    END
    WHEN ''closed_won''::public.opportunity_stage THEN
    CASE stage_backup
        WHEN ''closed_won''::text THEN ''closed_won''::text
        ELSE ''won''::text
    END
    WHEN ''closed_lost''::public.opportunity_stage THEN
    CASE stage_backup
        WHEN ''closed_lost''::text THEN ''closed_lost''::text
        ELSE ''lost''::text
    END
    WHEN ''nurturing''::public.opportunity_stage THEN
    CASE stage_backup
        WHEN ''nurturing''::text THEN ''nurturing''::text
        ELSE ''delayed''::text
    END
    ELSE NULL::text
END), index, id)')
) e (name, text)
left join (
    select i.relname, pg_catalog.pg_get_indexdef(i.oid) as text
    from pg_catalog.pg_class i
    where i.relnamespace = 'public'::pg_catalog.regnamespace and i.relkind = 'i'
) a on a.relname = e.name
where a.text is distinct from e.text
