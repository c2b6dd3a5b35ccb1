"""Access as the catalog tells it: privileges, policies, and what undoes row level security."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from harness.check.security.policy import SecurityPolicy
from harness.database.fingerprint.catalog import read_system_rights

Connection = psycopg.Connection[Any]

RELATIONS: Final = """
select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name, c.relkind::text as kind,
    n.nspname::text as schema, c.relrowsecurity as row_security,
    pg_get_userbyid(c.relowner)::text as owner,
    coalesce((select o.option_value in ('on', 'true', 'yes', '1')
        from pg_options_to_table(c.reloptions) o
        where o.option_name = 'security_invoker'), false) as invoker
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
"""
FUNCTIONS: Final = """
select p.oid::regprocedure::text as name, n.nspname::text as schema, p.prosecdef as definer,
    (select substr(s, 13) from unnest(p.proconfig) s
        where starts_with(s, 'search_path=')) as path
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
"""
POLICIES: Final = """
select quote_ident(schemaname) || '.' || quote_ident(tablename) as relation,
    policyname::text as name, roles::text[] as roles,
    cmd || ' ' || permissive || ' to ' || array_to_string(roles, ', ')
        || ' using ' || coalesce(qual, 'nothing')
        || ' check ' || coalesce(with_check, 'nothing') as text
from pg_policies
"""
PRIVILEGES: Final = """
select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name, c.relkind::text as kind,
    r.role || ' ' || p.privilege as privilege
from pg_class c join pg_namespace n on n.oid = c.relnamespace
cross join unnest(%(roles)s::text[]) r (role)
cross join unnest(case c.relkind when 'S' then array['USAGE', 'SELECT', 'UPDATE'] else
    array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'] end
) p (privilege)
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and has_schema_privilege(r.role, n.oid, 'usage')
    and case when c.relkind = 'S' then has_sequence_privilege(r.role, c.oid, p.privilege)
        when p.privilege in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
            then has_any_column_privilege(r.role, c.oid, p.privilege)
        else has_table_privilege(r.role, c.oid, p.privilege) end
union all
select n.nspname, 'schema', r.role || ' ' || p.privilege
from pg_namespace n cross join unnest(%(roles)s::text[]) r (role)
cross join (values ('USAGE'), ('CREATE')) p (privilege)
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and has_schema_privilege(r.role, n.oid, p.privilege)
"""


@dataclass(frozen=True)
class SecuredRelation:
    """A table or view, and what stands between its rows and a reader."""

    name: str
    kind: str
    schema: str
    row_security: bool
    owner: str
    invoker: bool

    @property
    def is_view(self) -> bool:
        """Whether it shows the rows of others."""
        return self.kind in ("v", "m")


@dataclass(frozen=True)
class Function:
    """A function, whose rights it runs with, and where it looks for names."""

    name: str
    schema: str
    definer: bool
    path: str | None


@dataclass(frozen=True)
class Policy:
    """A policy: its name, whom it is for, and all that it says."""

    name: str
    roles: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class System:
    """Rights on an object of the server or of an extension that are not those it was made with.

    Each right is told as `role: PRIVILEGE`.
    """

    gained: frozenset[str]
    lost: frozenset[str]


@dataclass(frozen=True)
class Catalog:
    """What the catalog of one database says of access."""

    relations: dict[str, SecuredRelation]
    functions: dict[str, Function]
    policies: dict[str, list[Policy]]
    privileges: dict[str, frozenset[str]]
    kinds: dict[str, str]
    creatable: frozenset[str]
    """Schemas in which one of the roles may create objects."""
    system: dict[str, System]
    """Objects of the server and of extensions whose rights were changed."""


def read(conn: Connection, policy: SecurityPolicy) -> Catalog:
    """Ask the catalog; nothing is written."""
    policies: dict[str, list[Policy]] = {}
    for row in _rows(conn, POLICIES):
        found = Policy(row["name"], tuple(row["roles"]), row["text"])
        policies.setdefault(row["relation"], []).append(found)
    privileges: dict[str, set[str]] = {}
    kinds = {}
    for row in _rows(conn, PRIVILEGES, {"roles": list(policy.roles)}):
        privileges.setdefault(row["name"], set()).add(row["privilege"])
        kinds[row["name"]] = row["kind"]
    return Catalog(
        relations={row["name"]: SecuredRelation(**row) for row in _rows(conn, RELATIONS)},
        functions={row["name"]: Function(**row) for row in _rows(conn, FUNCTIONS)},
        policies=policies,
        privileges={name: frozenset(found) for name, found in privileges.items()},
        kinds=kinds,
        creatable=frozenset(
            name
            for name, found in privileges.items()
            if kinds[name] == "schema" and any(text.endswith(" CREATE") for text in found)
        ),
        system=_system(conn),
    )


def _system(conn: Connection) -> dict[str, System]:
    return {
        name: System(frozenset(found.get("gained") or ()), frozenset(found.get("lost") or ()))
        for name, found in read_system_rights(conn).items()
    }


def _rows(conn: Connection, query: str, params: Any = None) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), params).fetchall()
