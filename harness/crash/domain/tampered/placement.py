"""Where a migration stands when somebody tampers: between steps, inside a batch, at an intent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from harness.crash import runners
from harness.crash.run.cursor import RunCursor, Scene, advance
from harness.crash.run.lock_needs import Needs
from harness.database import admin, template
from harness.database.fingerprint import Fingerprint
from harness.fault.contention import Rival
from harness.runner.index import wanted

TABLE = """
select n.nspname || '.' || t.relname from pg_index as i
join pg_class as t on t.oid = i.indrelid join pg_namespace as n on n.oid = t.relnamespace
where i.indexrelid = to_regclass(%s)
"""


@dataclass(frozen=True)
class StepPlace:
    """A step, and how far into it: between (just before it), running or intent."""

    step: str
    boundary: str


def places(cursor: RunCursor, needs: dict[str, Needs]) -> list[StepPlace]:
    """The middle of the run, and the middle one of the steps that can be left half done."""
    kinds = {step: cursor.script(step).kind for step in cursor.steps}
    found = [StepPlace(_middle(cursor.steps), "between")]
    running = [step for step in cursor.steps if needs[step].batches > 1]
    intent = [step for step in cursor.steps if kinds[step] == "concurrent"]
    for steps, boundary in ((running, "running"), (intent, "intent")):
        if steps:
            found.append(StepPlace(_middle(steps), boundary))
    return found


def _middle(steps: list[str]) -> str:
    return steps[len(steps) // 2]


@dataclass
class PlacedDatabase:
    """A database at a place, to be copied for every tampering."""

    scene: Scene
    place: StepPlace
    dsn: str

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What the database is before anybody tampers."""
        return self.scene.ground.identity(self.dsn)

    @contextmanager
    def copy(self) -> Iterator[str]:
        """A copy for the length of the block."""
        server = self.scene.cursor.server_dsn
        dsn = template.clone(server, admin.dbname(self.dsn))
        try:
            yield dsn
        finally:
            admin.drop(server, admin.dbname(dsn))

    @cached_property
    def judged(self) -> tuple[str, tuple[str, ...]]:
        """The state that is come back to when the tampering is undone, and why it ends badly."""
        with self.copy() as dsn:
            return self.scene.judged(dsn)


@contextmanager
def stand(scene: Scene, place: StepPlace) -> Iterator[PlacedDatabase]:
    """Bring a copy of the walk's database to a place."""
    cursor = scene.cursor
    cursor.to(place.step)
    with cursor.copy() as dsn:
        if place.boundary == "running":
            advance(cursor.ground, cursor.direction, dsn, lambda event: event.kind == "batch")
        elif place.boundary == "intent":
            _to_intent(cursor, place.step, dsn)
        yield PlacedDatabase(scene, place, dsn)


def _to_intent(cursor: RunCursor, step: str, dsn: str) -> None:
    """Let the runner give up after it has said what it is about to do."""
    want = wanted(cursor.script(step).statements[0])
    table = str(want.table)
    if want.table is None:
        with admin.connection(dsn) as conn:
            row = conn.execute(TABLE, [want.index.sql]).fetchone()
        assert row is not None
        table = str(row[0])
    plan = cursor.ground.sweeping(retries=0, concurrent_lock_timeout=0.05)
    with Rival(dsn) as rival:
        rival.lock(table, "share update exclusive")
        runners.run(cursor.ground, cursor.direction, dsn, plan)
