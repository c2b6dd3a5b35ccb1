"""Where an environment's faults can strike: found by looking at runs that nothing disturbs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from harness.core.direction import Direction
from harness.core.poll import wait_until
from harness.crash import runners
from harness.crash.setup import Setup
from harness.crash.state import settle
from harness.database import admin, template
from harness.database.catalog import USER_RELATIONS
from harness.fault.process import Tell, fork

if TYPE_CHECKING:
    from harness.plan import Plan

SIZES: Final = (
    "select pg_catalog.pg_database_size(pg_catalog.current_database()),"
    " pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint"
)
TABLES: Final = f"""
select schema, relation, concat(schema, '.', relation) = any(%s)
from ({USER_RELATIONS}) as r where kind in ('r', 'p')
"""  # noqa: S608 - a constant
WAYS: Final[tuple[Direction, ...]] = ("forward", "rollback")
WAITER: Final = (
    "select a.application_name from pg_catalog.pg_locks as l"
    " join pg_catalog.pg_stat_activity as a on a.pid = l.pid"
    " where not l.granted and a.datname = pg_catalog.current_database()"
    " and a.application_name like 'harness %/%'"
)


@dataclass(frozen=True)
class StepVolume:
    """What a step of an undisturbed run takes from its boundary on: bytes of data, and of WAL."""

    step: str
    kind: str
    boundary: str
    data: int
    wal: int


@dataclass(frozen=True)
class Survey:
    """Of one direction: the work of its steps, and the step that a held table pins, if one does."""

    direction: Direction
    works: tuple[StepVolume, ...]
    pinned: str | None

    def heaviest(self, what: str) -> list[StepVolume]:
        """Of every kind of step the one that takes most of `what`, data or wal, if any does."""
        best: dict[str, StepVolume] = {}
        for work in self.works:
            size = getattr(work, what)
            if size > 0 and (work.kind not in best or size > getattr(best[work.kind], what)):
                best[work.kind] = work
        return [best[kind] for kind in sorted(best)]


def take(ground: Setup) -> list[Survey]:
    """Look at both directions."""
    plain = replace(ground, prepare=None)
    server = ground.server()
    try:
        clean = ground.furnish(server.dsn(), "environment_clean")
        settle(server.dsn(), admin.dbname(clean))
        return [_survey(plain, server.dsn(), way, clean) for way in filter(ground.goes, WAYS)]
    finally:
        server.close()


def _survey(ground: Setup, server_dsn: str, way: Direction, clean: str) -> Survey:
    """Of one direction; each of its two runs begins on a clone."""
    first, second = (template.clone(server_dsn, admin.dbname(clean)) for _ in range(2))
    if way == "rollback":
        for dsn in (first, second):
            ending = runners.run(ground, "forward", dsn)
            assert ending.done, f"the undisturbed run failed: {ending.error}"
    return Survey(way, _works(ground, way, first), _pinned(ground, way, second))


def _works(ground: Setup, direction: Direction, dsn: str) -> tuple[StepVolume, ...]:
    plan = ground.sweeping()

    def measured(tell: Tell) -> Any:
        def listen(event: Any) -> None:
            with admin.connection(dsn) as conn:
                tell((event.kind, event.step, conn.execute(SIZES).fetchone()))

        return runners.VERBS[direction](dsn, plan, on_event=listen)

    with fork(measured) as process:
        ending = process.wait()
    assert ending.done, f"the undisturbed run failed: {ending.error}"
    kinds = {step.id: getattr(step, direction) for step in plan.steps}
    told = [each for each in process.told if each[1] is not None]
    return tuple(
        _work(step, script.kind, [each for each in told if each[1] == step])
        for step, script in kinds.items()
        if script.statements and any(each[1] == step for each in told)
    )


def _work(step: str, kind: str, told: list[tuple[str, str, tuple[int, int]]]) -> StepVolume:
    """The work of a step; one with several batches is looked at from its first batch on."""
    batches = [sizes for what, _, sizes in told if what == "batch"]
    began = next(sizes for what, _, sizes in told if what == "step_started")
    done = next(sizes for what, _, sizes in told if what == "step_done")
    boundary = "started"
    if len(batches) > 1:
        boundary, began = "batch1", batches[0]
    return StepVolume(step, kind, boundary, done[0] - began[0], done[1] - began[1])


def _pinned(ground: Setup, direction: Direction, dsn: str) -> str | None:
    patient = ground.sweeping(lock_timeout=60.0, concurrent_lock_timeout=60.0)
    with (
        holding(dsn, ground.plan),
        runners.start(ground, direction, dsn, patient) as runner,
    ):
        return pinned_step(dsn, lambda: not runner.listen())


@contextmanager
def holding(dsn: str, plan: Plan) -> Iterator[None]:
    """A transaction that reads tables, so that the first step that changes one waits for it.

    Held are the tables that the plan found: its own may be the first to go on the way back, and the
    middle of a run is wanted. A plan that names none has all of them held.
    """
    with psycopg.connect(dsn) as conn:
        conn.execute(_lock(conn, list(plan.preflight.requires)))
        yield
        conn.rollback()


def _lock(conn: psycopg.Connection[Any], wanted: list[str]) -> sql.Composed:
    rows = conn.execute(TABLES.encode(), [wanted]).fetchall()
    found = [sql.Identifier(*name) for *name, is_wanted in rows if is_wanted]
    tables = found or [sql.Identifier(*name) for *name, _ in rows]
    if not tables:  # before the migration nothing is there
        return sql.SQL("select {}").format(sql.NULL)
    return sql.SQL("lock table {} in access share mode").format(sql.SQL(", ").join(tables))


def pinned_step(dsn: str, ended: Callable[[], bool] = lambda: False) -> str | None:
    """Wait until a runner waits for a lock, by pg_locks; the step that it is in, None if it ended.

    A plan that touches no table that was there is not pinned by any.
    """
    with admin.connection(dsn) as conn:

        def waiter() -> str | bool:
            row = conn.execute(WAITER).fetchone()
            return str(row[0]) if row else ended()

        found = wait_until(waiter, 60, "the runner to wait for a table", pause=0.002)
    return found.removeprefix("harness ") if isinstance(found, str) else None
