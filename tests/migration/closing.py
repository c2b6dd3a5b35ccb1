"""New tables are closed to every role until their phase opens them, and again on the way back."""

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


def open_too_soon(conn: Conn, opened: set[str]) -> list[str]:
    """Privileges on new tables whose step has not opened them (or has closed them again)."""
    tables = [name for step, names in OPENS.items() if step not in opened for name in names]
    return column(conn, OPEN, {"tables": tables})
