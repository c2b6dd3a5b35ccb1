-- id: verify.triggers_surface
-- severity: critical
-- message: triggers of the compatibility views that are missing, disabled, or fire otherwise
-- hint: make the trigger again
-- until: cleanup

select e.relation || ' ' || e.name as key,
    case when a.tgname is null then 'is missing, must be ' || e.text
    when a.tgenabled <> 'O' then 'does not fire: tgenabled is ' || a.tgenabled::text
    else 'is ' || a.text || ', must be ' || e.text end as detail
from (values
    ('dealNotes', 'deal_notes_write', 'CREATE TRIGGER deal_notes_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public."dealNotes" FOR EACH ROW EXECUTE FUNCTION public.deal_notes_write()'),
    ('deals', 'deals_write', 'CREATE TRIGGER deals_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public.deals FOR EACH ROW EXECUTE FUNCTION public.deals_write()')
) e (relation, name, text)
left join (
    select c.relname, t.tgname, t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid) as text
    from pg_catalog.pg_trigger t
    join pg_catalog.pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'public'::pg_catalog.regnamespace and not t.tgisinternal
) a on a.relname = e.relation and a.tgname = e.name
where a.text is distinct from e.text or a.tgenabled <> 'O'
