"""Security: who may do what, before and after, asked of the catalog and by trying."""

from __future__ import annotations

import psycopg

from ..support import Conn, Pair, acting_as, column, records, scalar, set_differences
from . import specification
from .specification import NEW_TABLES

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
POLICIES = """
select c.relname as relation, p.policyname as name, p.cmd, p.roles::text[] as roles,
  p.qual, p.with_check, p.permissive
from pg_catalog.pg_class c
join pg_catalog.pg_policies p on p.schemaname = 'public' and p.tablename = c.relname
where c.relnamespace = 'public'::pg_catalog.regnamespace
"""
RELATIONS = """
select relname from pg_catalog.pg_class
where relnamespace = 'public'::pg_catalog.regnamespace and relkind in ('r', 'v', 'm', 'p')
"""
ACL = """
select coalesce(r.rolname, 'public') || ' ' || a.privilege_type
from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
left join pg_catalog.pg_roles r on r.oid = a.grantee
where c.oid = %s::pg_catalog.regclass
"""


def check_policies_are_carried(pair: Pair) -> list[str]:
    """The policies of old tables keep their commands, roles and expressions, renamed or not."""
    found = []
    actual = _policies(pair.target)
    for old, table in specification.baseline()["tables"].items():
        new = specification.new_name(old)
        expected = {
            _policy(_policy_name(name), p["cmd"], p["roles"], p["using"], p["check"])
            for name, p in table["policies"].items()
        }
        found += set_differences(f"policies of {new}", expected, actual.get(new, set()))
    return found


def check_row_level_security(pair: Pair) -> list[str]:
    """Row level security is on for every base table."""
    query = (
        "select relname from pg_catalog.pg_class where relkind in ('r', 'p') and not relrowsecurity"
        " and relnamespace = 'public'::pg_catalog.regnamespace"
    )
    return [f"row level security is off on {name}" for name in column(pair.target, query)]


def check_new_policies(pair: Pair) -> list[str]:
    """A new table has one policy a command, for authenticated alone, of live rows if they die."""
    found = []
    policies = records(pair.target, POLICIES)
    mortal = set(_with_deleted_at(pair.target))
    for table in NEW_TABLES:
        mine = [policy for policy in policies if policy["relation"] == table]
        commands = sorted(policy["cmd"] for policy in mine)
        if commands != ["DELETE", "INSERT", "SELECT", "UPDATE"]:
            found.append(f"policies of {table} are for {commands}")
        found += [
            f"policy {policy['name']!r} of {table} is for {policy['roles']}"
            for policy in mine
            if policy["roles"] != ["authenticated"] or policy["permissive"] != "PERMISSIVE"
        ]
        found += [
            f"policy {policy['name']!r} of {table} shows dead rows"
            for policy in mine
            if table in mortal
            and policy["cmd"] != "INSERT"
            and "deleted_at IS NULL" not in str(policy["qual"])
        ]
    return found


def check_grants_are_carried(pair: Pair) -> list[str]:
    """Grants on what was renamed or replaced are what they were."""
    found = []
    same = {name: name for name in column(pair.source, RELATIONS)}
    for old, new in {**same, **specification.target()["renamed"]}.items():
        found += _acl_differences(pair, old, new)
    for old in same:
        found += _acl_differences(pair, old, old)
    found += _acl_differences(pair, "deals_summary", "opportunities_summary")
    for old, new in specification.target()["renamed"].items():
        found += _acl_differences(pair, f"{old}_id_seq", f"{new}_id_seq")
    return found


def check_owners(pair: Pair) -> list[str]:
    """Everything in public belongs to who owned the deals before."""
    query = (
        "select pg_catalog.pg_get_userbyid(relowner) from pg_catalog.pg_class"
        " where oid = 'public.deals'::pg_catalog.regclass"
    )
    owner = scalar(pair.source, query)
    strangers = column(
        pair.target,
        "select relname from pg_catalog.pg_class where relkind in ('r', 'v', 'S')"
        " and relnamespace = 'public'::pg_catalog.regnamespace"
        " and pg_catalog.pg_get_userbyid(relowner) <> %s",
        [owner],
    )
    return [f"{name} does not belong to {owner}" for name in strangers]


def check_anon_has_nothing_new(pair: Pair) -> list[str]:
    """No privilege on a new table or its sequence is anon's or everybody's."""
    found = []
    for table in NEW_TABLES:
        for privilege in PRIVILEGES:
            query = "select pg_catalog.has_table_privilege('anon', %s, %s)"
            if scalar(pair.target, query, [f"public.{table}", privilege]):
                found.append(f"anon has {privilege} on {table}")
        for privilege in ("USAGE", "SELECT", "UPDATE"):
            query = "select pg_catalog.has_sequence_privilege('anon', %s, %s)"
            if scalar(pair.target, query, [f"public.{table}_id_seq", privilege]):
                found.append(f"anon has {privilege} on {table}_id_seq")
    return found


def check_new_grants(pair: Pair) -> list[str]:
    """authenticated and service_role may use the new tables and draw their ids."""
    found = []
    for table in NEW_TABLES:
        for role in ("authenticated", "service_role"):
            for privilege in PRIVILEGES[:4]:
                query = "select pg_catalog.has_table_privilege(%s, %s, %s)"
                if not scalar(pair.target, query, [role, f"public.{table}", privilege]):
                    found.append(f"{role} lacks {privilege} on {table}")
            query = "select pg_catalog.has_sequence_privilege(%s, %s, 'USAGE')"
            if not scalar(pair.target, query, [role, f"public.{table}_id_seq"]):
                found.append(f"{role} lacks USAGE on {table}_id_seq")
    return found


def check_anon_sees_no_row(pair: Pair) -> list[str]:
    """anon reads no row of any relation, init_state aside, whatever it is granted."""
    found = [
        f"anon reads {count} rows of {name}"
        for name in column(pair.target, RELATIONS)
        if name != "init_state" and (count := _visible(pair.target, "anon", name))
    ]
    if _visible(pair.target, "anon", "init_state") != 1:
        found.append("anon cannot read init_state before sign-in")
    return found


def check_authenticated_sees_every_row(pair: Pair) -> list[str]:
    """A signed-in user reads every row that was there before, through table and view."""
    found = []
    for name in column(pair.source, RELATIONS):
        before = scalar(pair.source, f'select count(*) from public."{name}"')
        for now in {name, specification.new_name(name)}:
            count = _visible(pair.target, "authenticated", now)
            if count != before:
                found.append(f"authenticated reads {count} rows of {now}, not {before}")
    return found


def check_functions(pair: Pair) -> list[str]:
    """Every function has a fixed search_path, and no new one is anon's to execute."""
    old = set(column(pair.source, _functions()))
    found = []
    for row in records(pair.target, _functions("p.proconfig, p.oid")):
        if not any(setting.startswith("search_path=") for setting in row["proconfig"] or ()):
            found.append(f"function {row['name']} has no fixed search_path")
        new = row["name"] not in old
        query = (
            "select pg_catalog.has_function_privilege('anon', oid, 'EXECUTE')"
            " and pg_catalog.has_schema_privilege('anon', pronamespace, 'USAGE')"
            " from pg_catalog.pg_proc where oid = %s"
        )
        if new and scalar(pair.target, query, [row["oid"]]):
            found.append(f"anon may execute {row['name']}")
    return found


USUAL = {  # what Postgres gives a function that says nothing
    "provolatile": "v",
    "proparallel": "u",
    "proisstrict": "false",
    "proleakproof": "false",
    "procost": "100",
    "prorows": "0",
}
PURE = {  # new functions that are not volatile: whose result depends on their arguments alone
    "opportunity_stage_of(text)": USUAL | {"provolatile": "i", "proparallel": "s"},
    "deal_stage_of(opportunity_stage,text)": USUAL | {"provolatile": "i", "proparallel": "s"},
    "opportunity_stage_probability(opportunity_stage)": (
        USUAL | {"provolatile": "i", "proparallel": "s"}
    ),
    "migration_control.successor_name(name)": USUAL | {"provolatile": "i"},
    # it reads the clock too: its file says why it is stable all the same
    "deleted_by_now(timestamp with time zone)": USUAL | {"provolatile": "s"},
}


def check_attributes_of_functions(pair: Pair) -> list[str]:
    """What the planner and callers rely on: of an old function as before, of a new one declared."""
    query = _functions(", ".join(f"p.{name}::text" for name in USUAL))
    before = {row["name"]: row for row in records(pair.source, query)}
    found = []
    for row in records(pair.target, query):
        name = row["name"].replace("public.", "")
        wanted = before.get(row["name"]) or PURE.get(name, USUAL)
        found += [
            f"{key} of function {row['name']} is {row[key]}, not {wanted[key]}"
            for key in USUAL
            if row[key] != wanted[key]
        ]
    return found


def check_owner_rights(pair: Pair) -> list[str]:
    """The functions that run with their owner's rights are those that must, and no other."""
    definers = _functions("p.prosecdef") + " and p.prosecdef"
    before = set(column(pair.source, definers))
    expected = before | set(specification.target()["owner_rights"])
    return set_differences(
        "functions with their owner's rights", expected, column(pair.target, definers)
    )


def check_internal_schemas_are_closed(pair: Pair) -> list[str]:
    """The application's roles may not use the schemas of the migration itself."""
    query = (
        "select r || ' may use ' || n.nspname from pg_catalog.pg_namespace n,"
        " pg_catalog.unnest(array['anon', 'authenticated']) r"
        " where n.nspname like 'migration%%' and pg_catalog.has_schema_privilege(r, n.oid, 'USAGE')"
    )
    return column(pair.target, query, [])


def _functions(more: str = "p.oid") -> str:
    return (
        f"select p.oid::pg_catalog.regprocedure::text as name, {more} from pg_catalog.pg_proc p"
        " where p.pronamespace in (select oid from pg_catalog.pg_namespace"
        " where nspname in ('public', 'migration_control'))"
    )


def _policies(conn: Conn) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for p in records(conn, POLICIES):
        text = _policy(p["name"], p["cmd"], p["roles"], p["qual"], p["with_check"])
        found.setdefault(p["relation"], set()).add(text)
    return found


def _policy(name: str, command: str, roles: list[str], using: str | None, check: str | None) -> str:
    return f"{name}: {command} to {roles} using {using} check {check}"


def _policy_name(old: str) -> str:
    return old.replace("Deal Notes", "Opportunity Notes").replace("Deals", "Opportunities")


def _with_deleted_at(conn: Conn) -> list[str]:
    return column(
        conn,
        "select c.relname from pg_catalog.pg_attribute a"
        " join pg_catalog.pg_class c on c.oid = a.attrelid"
        " where a.attname = 'deleted_at' and not a.attisdropped",
    )


def _acl_differences(pair: Pair, old: str, new: str) -> list[str]:
    before = column(pair.source, ACL, [f'public."{old}"'])
    try:
        with pair.target.transaction():
            after = column(pair.target, ACL, [f'public."{new}"'])
    except psycopg.errors.UndefinedTable:
        return [f"{new} does not exist"]
    return set_differences(f"grants on {new}", before, after)


def _visible(conn: Conn, role: str, relation: str) -> int:
    """How many rows a role can count; none where it is refused."""
    with acting_as(conn, role):
        try:
            with conn.transaction():
                return int(scalar(conn, f'select count(*) from public."{relation}"'))
        except psycopg.errors.InsufficientPrivilege:
            return 0
