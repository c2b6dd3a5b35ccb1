"""Which mix the clients of a plan send: the project's own, or one made from the catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import psycopg

from harness.plan import Plan
from harness.subject.choice import particulars_of
from harness.subject.project import find_project
from harness.traffic.catalog_mix import mix_from_catalog
from harness.traffic.mix import TrafficMix

_MAY: Final = """
SELECT pg_catalog.bool_and(
  pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT')
  AND pg_catalog.has_table_privilege(r.oid, c.oid, 'INSERT')
  AND pg_catalog.has_table_privilege(r.oid, c.oid, 'UPDATE')
  AND NOT c.relrowsecurity)
FROM pg_catalog.pg_roles r, pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.rolname = %(role)s AND n.nspname || '.' || c.relname = ANY (%(tables)s)
"""


def mix_of(conn: psycopg.Connection[Any], plan: Plan) -> TrafficMix:
    """The mix of the plan's project, as its application role; else one from the catalog.

    Raises UsageError where no client could do what the project's says. A mix from the catalog is
    sent by the application role only where that role may do all of it, whatever the row.
    """
    project = find_project()
    given = particulars_of(plan.name, project).traffic
    roles = project.roles.application if project else ()
    role = roles[0] if roles else None
    if given is not None:
        given.refuse_flawed(str(project.object if project else plan.path))
        return given if given.role or role is None else replace(given, role=role)
    mix = mix_from_catalog(conn)
    return replace(mix, role=role) if role and _may(conn, role, mix) else mix


def _may(conn: psycopg.Connection[Any], role: str, mix: TrafficMix) -> bool:
    tables = list(mix.census)
    row = conn.execute(_MAY, {"tables": tables, "role": role}).fetchone()
    return bool(row and row[0])
