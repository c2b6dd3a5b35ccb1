"""Every moment of a plan that can be held, found by reading its scripts and a recorded run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pglast.enums import AlterTableType

from harness.crash.model import END, START, Point
from harness.database.locks import SHARE_UPDATE_EXCLUSIVE
from harness.fault.pins import KEY, Hold, Pin, PinMissed, Sight, Target
from harness.plan.check import tree
from harness.runner.index import Name, wanted

if TYPE_CHECKING:
    from harness.plan import Plan, Script, Statement

Commit = tuple[str, int]  # what the ledger is told in it: state and batches

BUILD = ("create-lock", "create-before-build", "create-before-validation", "create-old-snapshots")
DROP = ("drop-lock", "drop-first-wait", "drop-second-wait")
LEFT = "create-before-validation"  # a build that is ended there leaves an index half built
HALF_BUILT = (False, True, True)  # not valid, ready, live
AGAIN = "again-"  # on an index left half built, by a run that drops it and builds it anew
REBUILD = tuple(AGAIN + moment for moment in (*DROP, *BUILD[1:]))  # no new lock before the build
VALIDATE = "validate-lock"
SIDES = ("before", "after")
RUN = "(run)"  # the ledger's row of the run, where a step's id would stand
OUTER: dict[str, Commit] = {START: ("running", 0), END: ("completed", 0)}
WITHIN_DO = re.compile(
    r'alter\s+table\s+(?:only\s+)?((?:\w+|"[^"]+")\.(?:\w+|"[^"]+"))\s+validate\s+constraint',
    re.IGNORECASE,
)


def boundaries(script: Script | None, commits: list[Commit]) -> Iterator[str]:
    """The boundaries of one step, in the order in which a run comes by."""
    for number, _ in enumerate(validated(script) if script else (), 1):
        yield VALIDATE if number == 1 else f"{VALIDATE}-{number}"
    intent = [commit for commit in commits if commit[0] == "intent"]
    yield from _commits(intent)
    if script is not None and script.kind == "concurrent" and script.statements:
        # REINDEX CONCURRENTLY has moments of its own; no plan holds one: the reader refuses it.
        yield from BUILD if wanted(script.statements[0]).creates else DROP
    yield from _commits([commit for commit in commits if commit[0] != "intent"])


def _commits(commits: list[Commit]) -> Iterator[str]:
    for state, batches in commits:
        for side in SIDES:
            yield f"{side}-commit-{state}-{batches}"


def validated(script: Script) -> list[str]:
    """The tables, as SQL names them, in which the script's statements validate constraints."""
    tables: list[str] = []
    for statement in script.statements if script.kind == "transaction" else ():
        tables += [name for name in _validated(statement) if name not in tables]
    return tables


def _validated(statement: Statement) -> list[str]:
    if statement.tag == "DoStmt":
        return WITHIN_DO.findall(statement.text)
    if statement.tag != "AlterTableStmt":
        return []
    node: Any = tree(statement)
    if all(one.subtype != AlterTableType.AT_ValidateConstraint for one in node.cmds):
        return []
    return [Name(node.relation.schemaname, node.relation.relname).sql]


def pin_for(plan: Plan, point: Point, table_of: Callable[[str], str | None]) -> Pin:
    """How a point's moment is held; `table_of` looks up the table of an index that is there.

    PinMissed when the plan has no such moment.
    """
    boundary = point.boundary
    if boundary.startswith(SIDES):
        return _commit_pin(point)
    try:
        script = plan.step(point.step).script(point.direction)
    except KeyError:
        raise PinMissed(f"the plan has no step {point.step!r}") from None
    if boundary.startswith(VALIDATE):
        return _validate_pin(script, boundary)
    if script.kind != "concurrent" or boundary not in BUILD + DROP + REBUILD:
        raise PinMissed(f"{script.name} never comes to {boundary!r}")
    want = wanted(script.statements[0])
    index = want.index.sql
    table = want.table.sql if want.table else table_of(index)
    if table is None or want.creates is (boundary in DROP):
        raise PinMissed(f"{script.name} never comes to {boundary!r}, or the index is not there")
    return Pin(_index_stages(boundary, table), index)


def rebuilt(plan: Plan) -> str | None:
    """The step whose index is struck while it is built again: the first that builds one."""
    for step in plan.steps:
        script = step.forward
        if script.kind == "concurrent" and wanted(script.statements[0]).creates:
            return step.id
    return None


def commit_of(point: Point) -> Target | None:
    """The commit that a point's boundary names, None when it is no commit."""
    side, _, rest = point.boundary.partition("-commit-")
    if side not in SIDES or not rest:
        return None
    state, _, batches = rest.rpartition("-")
    step = RUN if point.step in OUTER else point.step
    return Target(step, state, int(batches), "before" if side == "before" else "after")


def _commit_pin(point: Point) -> Pin:
    target = commit_of(point)
    if target is None:
        raise PinMissed(f"{point.boundary!r} names no commit")
    sight = Sight(wait="advisory") if target.side == "before" else Sight(wait="SyncRep")
    stage = Hold(f"SELECT pg_catalog.pg_advisory_xact_lock({KEY})", sight)
    return Pin((stage,), target=target)


def _validate_pin(script: Script, boundary: str) -> Pin:
    number = int(boundary.removeprefix(VALIDATE).removeprefix("-") or 1)
    tables = validated(script)
    if number > len(tables):
        raise PinMissed(f"{script.name} never comes to {boundary!r}")
    sight = Sight("relation", "relation", SHARE_UPDATE_EXCLUSIVE, query="validate constraint")
    return Pin((Hold(_lock(tables[number - 1], "SHARE UPDATE EXCLUSIVE"), sight),))


def _lock(table: str, mode: str) -> str:
    return f"LOCK TABLE {table} IN {mode} MODE"


def _index_stages(boundary: str, table: str) -> tuple[Hold, ...]:
    """What is held, one after the other, until CREATE or DROP INDEX CONCURRENTLY stands there."""
    if boundary.startswith(AGAIN):
        return _again_stages(boundary.removeprefix(AGAIN), table)
    if boundary in ("create-lock", "drop-lock"):
        sight = Sight("relation", "relation", SHARE_UPDATE_EXCLUSIVE)
        return (Hold(_lock(table, "SHARE UPDATE EXCLUSIVE"), sight),)
    if boundary == "create-old-snapshots":
        return (Hold(SNAPSHOT, _waits("waiting for old snapshots", (False, True, True))),)
    if boundary in BUILD:
        writer = _lock(table, "ROW EXCLUSIVE")
        first = _waits("waiting for writers before build", (False, False, True))
        second = _waits("waiting for writers before validation", (False, True, True))
        stages = (Hold(writer, first), Hold(writer, second))
        return stages[:1] if boundary == "create-before-build" else stages
    reader = _lock(table, "ACCESS SHARE")
    first, second = _waits(None, (False, True, True)), _waits(None, (False, False, False))
    stages = (Hold(reader, first), Hold(reader, second))
    return stages[:1] if boundary == "drop-first-wait" else stages


def _again_stages(moment: str, table: str) -> tuple[Hold, ...]:
    """The same of a run that finds an index half built: its own drop comes before its create."""
    if moment == "drop-lock":
        (lock,) = _index_stages(moment, table)
        return (replace(lock, sight=replace(lock.sight, flags=HALF_BUILT)),)
    if moment in DROP:
        return _index_stages(moment, table)
    return _index_stages(DROP[-1], table) + _index_stages(moment, table)


SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1"


def _waits(phase: str | None, flags: tuple[bool, bool, bool]) -> Sight:
    return Sight("virtualxid", "virtualxid", phase=phase, flags=flags)
