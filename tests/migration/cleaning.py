"""After the clean-up: what went is what it says, and what stays is and does what it did."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pglast import ast

from harness.check.verify.doubt import CLEANED
from harness.check.verify.run import verify
from harness.database import fingerprint
from harness.plan import Plan
from harness.plan.check import tree
from harness.runner import cleanup
from harness.suite import cleanup as shipped
from harness.suite import loss
from harness.suite.journey import Fingerprint, state

from . import checks, decorations
from .scene import Remark, Scene, heard
from .support import Check, Conn, Pair, column, connected, taken_back

_LIST: dict[str, list[str]] = tomllib.loads(
    Path(__file__).with_name("cleaned.toml").read_text("utf-8")
)
GONE = frozenset(_LIST["gone"])
LATER = tuple(
    check
    for check in (*checks.READING, *checks.TRYING, decorations.check_names)
    if check.__name__ not in _LIST["until_cleanup"]
)
"""Checks of the migrated database that hold after the clean-up too."""
ARCHIVE = """
create schema reporting;
create view reporting.own with (security_invoker = on) as
    select s.id, s.company_name from public.opportunities_summary s;
create schema migration_archive;
create table migration_archive.opportunities (archived_run bigint, id bigint);
insert into migration_archive.opportunities values (1, 1)
"""
LEFT = """
select 'schema migration_archive' from pg_catalog.pg_namespace where nspname = 'migration_archive'
union all
select 'function ' || p.oid::pg_catalog.regprocedure from pg_catalog.pg_proc p
where p.pronamespace = 'migration_control'::pg_catalog.regnamespace
union all
select 'relation ' || c.oid::pg_catalog.regclass from pg_catalog.pg_class c
where c.relnamespace = 'migration_control'::pg_catalog.regnamespace
    and (c.relkind in ('v', 'm') or c.relname in ('undo', 'parked'))
"""
ROLES = """
select r.rolname || ' ' || pg_catalog.to_jsonb(r)::text || coalesce(m.names, '')
from pg_catalog.pg_roles r
left join lateral (
    select pg_catalog.string_agg(a.member::pg_catalog.regrole::text, ' ' order by a.member) as names
    from pg_catalog.pg_auth_members a where a.roleid = r.oid
) m on true
"""


@dataclass(frozen=True)
class Cleaned:
    """A database that was cleaned up: what it was before that, and what the clean-up said."""

    source: str
    dsn: str
    before: Fingerprint
    roles: tuple[str, ...]
    dropped: tuple[str, ...]
    tables: tuple[loss.TableContents, ...]

    @property
    def plain(self) -> shipped.Cleaned:
        """As the shipped suite looks at it."""
        return shipped.Cleaned(self.source, self.dsn, self.tables, self.dropped)


def clean(source: str, dsn: str, plan: Plan) -> Cleaned:
    """Clean a migrated database up, with an archive and a report of others in it.

    `source` is what it was migrated from.
    """
    with connected(dsn) as conn:
        conn.execute(ARCHIVE)
        roles = tuple(sorted(column(conn, ROLES)))
        tables = loss.held(conn)
    before = state(dsn)
    dropped = cleanup(dsn, plan, override_retention="the suite cleans up at once")
    return Cleaned(source, dsn, before, roles, tuple(dropped), tables)


def unsaid(found: Cleaned) -> list[str]:
    """What changed in the database and is not on the list; and what is on it and still there."""
    after = state(found.dsn)
    differences = fingerprint.compare(found.before, after)
    absent = {one.object for one in differences if one.attribute == "presence"}
    lines = [str(one) for one in differences if not _meant(one)]
    return lines + [f"{name} is still there" for name in sorted(GONE - absent)]


def left(found: Cleaned) -> list[str]:
    """What the migration made for its own use and the clean-up left; roles that it changed."""
    with connected(found.dsn) as conn:
        lines = [f"{name} is left" for name in column(conn, LEFT)]
        roles = sorted(column(conn, ROLES))
    return lines + [f"role {line}" for line in set(roles) ^ set(found.roles)]


def told(found: Cleaned) -> list[str]:
    """What went without a word in the clean-up's own list."""
    said = {line.replace(" ", "") for line in found.dropped}
    wanted = {name for name in GONE if not name.startswith("trigger")}
    return [name for name in sorted(wanted) if not any(_same(name, line) for line in said)]


def verified(found: Cleaned, plan: Plan) -> list[str]:
    """What verify has against the database: rows, rules, rights; unknown is not pass."""
    judged = verify(found.dsn, plan, state=CLEANED, source=found.source, count=20)
    lines = [f"{one.id}: {one.message}" for one in judged.findings if one.severity != "info"]
    return lines or [f"verify: {judged.verdict}"] * (judged.verdict != "pass")


def unlocked(plan: Plan) -> list[str]:
    """Scripts that alter several tables and do not lock them all at once, in one order, first.

    Each ALTER TABLE alone would lock in the order of the script: a deadlock with users' writes.
    """
    lines = []
    for script in plan.cleanup:
        trees: list[Any] = [tree(statement) for statement in script.statements]
        altered = {root.relation.relname for root in trees if _alters(root)}
        held = _locked(trees[0]) if trees else set()
        if len(altered) > 1 and altered != held:
            lines.append(f"{script.name} alters {sorted(altered)} and locks {sorted(held)} first")
    return lines


def _alters(root: Any) -> bool:
    return isinstance(root, ast.AlterTableStmt)


def _locked(root: Any) -> set[str]:
    if not isinstance(root, ast.LockStmt):
        return set()
    return {str(table.relname) for table in root.relations or ()}


def cleaned(scene: Scene) -> Iterator[Remark]:
    """The stage of the judge: everything above, cheapest first."""
    held: list[Cleaned] = []
    plan = scene.case.plan

    def go() -> list[str]:
        held.append(clean(scene.before(), scene.after(), plan))
        return unsaid(held[0]) + left(held[0]) + told(held[0])

    yield heard("cleanup locks", lambda: unlocked(plan))
    yield heard("cleanup", go)
    if not held:
        return  # it failed, and that was said
    yield heard("cleaned verify", lambda: verified(held[0], plan))
    pair = scene.pair(held[0].source, held[0].dsn)
    for check in LATER:
        yield heard(f"cleaned {check.__name__}", partial(attempted, check, pair))


def attempted(check: Check, pair: Pair) -> list[str]:
    """What a check finds; what it writes is taken back."""
    with taken_back(pair.target):
        return check(pair)


def _meant(one: fingerprint.Difference) -> bool:
    name, relation = one.object, one.object.removeprefix("table ")
    columns = {gone.rpartition(".")[2] for gone in GONE if gone.startswith(f"column {relation}.")}
    if one.attribute == "columns" and columns:
        before, after = json.loads(one.before or "[]"), json.loads(one.after or "[]")
        return bool(after == [entry for entry in before if entry not in columns])
    if one.attribute == "contents":
        return bool(columns)
    if one.attribute != "presence" or one.after != "absent":
        return False
    return name in GONE or any(_comment_on(name, gone) for gone in GONE)


def _comment_on(name: str, gone: str) -> bool:
    if gone.startswith("function"):
        return name.startswith(f"comment on {gone.partition('(')[0]}(")
    if gone.startswith("view"):
        view = gone.removeprefix("view ")
        return name in (f"comment on {gone}", f"comment on view column {view}") or name.startswith(
            f"comment on view column {view}."
        )
    return name == f"comment on table {gone}"


def _same(name: str, line: str) -> bool:
    """Whether a line of the clean-up names the object; arguments have their names there."""
    return line.startswith(name.partition("(")[0].replace(" ", ""))


def stages(conn: Conn) -> Any:
    """Every stage set on the first opportunity in turn, by a client; the row at the end."""
    for stage in column(conn, "select unnest(enum_range(null::public.opportunity_stage))::text"):
        conn.execute(
            "update public.opportunities set stage = %s::text::public.opportunity_stage"
            " where id = (select min(id) from public.opportunities)",
            [stage],
        )
    return conn.execute(
        "select stage::text, probability from public.opportunities order by id limit 1"
    ).fetchone()
