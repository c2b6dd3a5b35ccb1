"""New tables are closed to every role until their phase opens them, and again on the way back.

They are filled by then, and no step gives a stranger a function to call.
"""

from __future__ import annotations

from .support import Conn, column

OPENS = {
    "1.2/040_access": ("contact_organizations", "contact_preferred_principals"),
    "1.3/040_access": ("opportunity_participants", "opportunity_products"),
    "1.4/070_access": ("activities", "interaction_participants"),
}
OPEN = """
select r || ' has ' || p || ' on ' || c.relname
from pg_catalog.pg_class c,
  unnest(array['anon', 'authenticated', 'service_role', 'public']) r,
  unnest(case c.relkind when 'S' then array['USAGE', 'SELECT', 'UPDATE']
    else array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] end) p
where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('r', 'S')
  and (c.relname = any (%(tables)s) or replace(c.relname, '_id_seq', '') = any (%(tables)s))
  and case c.relkind when 'S' then has_sequence_privilege(r, c.oid, p)
    else has_table_privilege(r, c.oid, p) end
"""


UNFILLED = {
    "1.2/040_access": """
        select 'contact ' || c.id from public.contacts c where c.company_id is not null
        and not exists (select from public.contact_organizations j
            where j.contact_id = c.id and j.organization_id = c.company_id and j.is_primary)""",
    "1.3/040_access": """
        select 'opportunity ' || o.id from public.opportunities o
        where o.customer_organization_id is not null
        and not exists (select from public.opportunity_participants p
            where p.opportunity_id = o.id and p.organization_id = o.customer_organization_id)""",
    "1.4/070_access": """
        select 'task ' || t.id from public.tasks t where t.done_date is not null
        and not exists (select from public.activities a where a.source_task_id = t.id)""",
}
FUNCTIONS = """
select p.oid::pg_catalog.regprocedure::text,
  pg_catalog.has_function_privilege('anon', p.oid, 'EXECUTE')
    and pg_catalog.has_schema_privilege('anon', p.pronamespace, 'USAGE'),
  coalesce(array_to_string(p.proconfig, ' ') ~ 'search_path=', false)
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('public', 'migration_control')
"""


def functions(conn: Conn) -> set[tuple[str, bool, bool]]:
    """Every function: whether anon may execute it, and whether its search_path is fixed."""
    return set(conn.execute(FUNCTIONS).fetchall())


def opened_unfilled(conn: Conn, step: str) -> list[str]:
    """Rows that a step opens a table without."""
    return [f"{step} opens a table that lacks {row}" for row in column(conn, UNFILLED[step])[:3]]


def open_functions(conn: Conn, known: set[tuple[str, bool, bool]]) -> list[str]:
    """New functions that anon may execute, or that look for names wherever their caller says."""
    new = functions(conn) - known
    found = [f"anon may execute {name}" for name, open_to_anon, _ in new if open_to_anon]
    return found + [f"{name} has no fixed search_path" for name, _, fixed in new if not fixed]


def open_too_soon(conn: Conn, opened: set[str]) -> list[str]:
    """Privileges on new tables whose step has not opened them (or has closed them again)."""
    tables = [name for step, names in OPENS.items() if step not in opened for name in names]
    return column(conn, OPEN, {"tables": tables})
