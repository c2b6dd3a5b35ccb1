"""A plan of ours as a subject: its runs are the command line's, its position is its ledger."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness import runner
from harness.core.direction import Direction
from harness.plan import Plan
from harness.runner import ledger
from harness.subject.protocol import (
    LIMIT,
    Connection,
    Invocation,
    Part,
    Position,
    Revision,
    Seeder,
)

WHY: Final = "the harness tries the clean-up"
VERBS: Final[dict[Direction, tuple[str, ...]]] = {
    "forward": ("migrate",),
    "rollback": ("rollback",),
    "cleanup": ("cleanup", "--override-retention", WHY),
}
FOREIGN: Final = ("PG", "HARNESS_")  # what would name another server or plan than we do


@dataclass(frozen=True)
class PlanSubject:
    """A checked plan. `seeder` makes its rows; without one they are made from the catalog."""

    plan: Plan
    seeder: Seeder | None = None
    kind: str = "plan"

    @property
    def name(self) -> str:
        """The plan's name and version."""
        return f"{self.plan.name} {self.plan.version}"

    @property
    def has(self) -> frozenset[Part]:
        """Everything; a baseline and a clean-up where the plan has files of them."""
        parts: set[Part] = {"back", "steps", "ledger"}
        if self.plan.baseline:
            parts.add("baseline")
        if self.plan.cleanup:
            parts.add("cleanup")
        return frozenset(parts)

    @property
    def root(self) -> Path:
        """The directory of plan.toml."""
        return self.plan.root

    @property
    def files(self) -> Mapping[str, str]:
        """The sha256 of every file that a run depends on, and of the baseline and the clean-up."""
        others = (*self.plan.baseline, *self.plan.cleanup)
        return {**self.plan.files, **{script.name: script.sha256 for script in others}}

    @property
    def hash(self) -> str:
        """The plan's."""
        return self.plan.hash

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """Its steps."""
        return tuple(
            Revision(step.id, step.forward.name, step.rollback.name) for step in self.plan.steps
        )

    @property
    def bookkeeping(self) -> tuple[str, ...]:
        """Nothing more than the ledger's schemas, which no fingerprint has."""
        return ()

    def prepare(self, dsn: str) -> list[str]:
        """Apply the baseline; nothing for a plan without one."""
        return runner.baseline(dsn, self.plan) if self.plan.baseline else []

    def invocation(self, direction: Direction, dsn: str) -> Invocation:
        """The command line of a run; the DSN, which may hold a password, is in its environment."""
        verb, *more = VERBS[direction]
        argv = (sys.executable, "-m", "harness", verb, "--plan", str(self.plan.path), *more)
        kept = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}
        return Invocation(argv, {**kept, "HARNESS_DSN": dsn})

    def unlocking(self, _dsn: str) -> Invocation | None:
        """Nothing: a lock of ours ends with its session."""
        return None

    def position(self, conn: Connection) -> Position:
        """What the ledger says of the way gone: runs, steps, last keys and counts.

        Who ran it, when and how often is no part of it.
        """
        known = ledger.read(conn)
        runs = tuple(
            (run.id, run.direction, run.undoes, run.state, run.steps_done) for run in known.runs
        )
        steps = tuple(
            (run_id, row.step, row.state, row.last_key, row.rows, row.batches)
            for run_id, rows in sorted(known.steps.items())
            for row in sorted(rows.values(), key=lambda row: row.position)
        )
        cut = tuple(
            (one.run_id, one.step, one.number, one.state, one.last_key, one.rows, one.batches)
            for rows in known.steps.values()
            for row in rows.values()
            for one in row.ranges
        )
        return Position((runs, steps, cut) if cut else (runs, steps), _words(known))

    @property
    def limit(self) -> float:
        """What it is where nothing is said."""
        return LIMIT

    @property
    def guard(self) -> str:
        """Nothing has to: our runner connects where it is told to."""
        return ""

    def prove_reach(self, dsn: str) -> None:
        """Nothing to show, for the same reason."""


def _words(known: ledger.Ledger) -> str:
    if not known.runs:
        return "no run begun"
    run = known.runs[-1]
    rows = sorted(known.steps.get(run.id, {}).values(), key=lambda row: row.position)
    unfinished = [f"{row.step} {row.state}" for row in rows if row.state != "done"]
    text = f"{run.direction} {run.state}, {run.steps_done} steps done"
    return f"{text}, {unfinished[-1]}" if unfinished else text
