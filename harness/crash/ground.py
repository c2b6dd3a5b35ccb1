"""What every exploration stands on: a plan, seeded rows, and how the run goes when left alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError, Refused
from harness.plan import Plan, Script
from harness.server import choose

if TYPE_CHECKING:
    from harness.core.direction import Direction
    from harness.database.fingerprint import Fingerprint
    from harness.server import Server

SWEEP: dict[str, Any] = {
    "adaptive": False,
    "heartbeat": 0.0,
    "reconnect": 0.0,
    "batch_rows": 100,
    "batch_min_rows": 25,
    "retry_base": 0.01,
    "retry_max": 0.05,
    "takeover": 0.2,
    "lock_wait": 0.5,
}
"""[runner] in a sweep: no clock decides what is sent, and nobody waits longer than needed."""


@dataclass(frozen=True)
class Ground:
    """Everything a worker process must be told; picklable.

    `before` and `after` are the fingerprints of the seeded database and of the migrated one, made
    by a run that nothing disturbed. `prepare` names a function, as module:function, that every
    runner process calls first: how tests plant defects in the engine. `rows` 0 seeds no rows.
    `lean` looks for less, where a few points will be chosen: see the wire domain.

    Of undisturbed runs: `omit` are the columns that no two of them share, `drawn` the sequences
    that they draw from, `hidden` the directions and steps that change nothing else than `omit`.
    Where the way back does not lead to `before`, `backs` says where it leads, by the steps that
    were done, and `inexact` which of them it does not undo; `returns` False: it fails. `cleaned` is
    the fingerprint of a migration that was cleaned up, `sums` has what each column held, by a
    fingerprint's digest of data.
    """

    plan: Plan
    rows: int
    seed: int
    provider: str = "embedded"
    version: int | None = None
    owner_pid: int | None = None
    prepare: str | None = None
    before: Fingerprint | None = None
    after: Fingerprint | None = None
    directions: tuple[Direction, ...] = ("forward", "rollback")
    lean: bool = False
    extra: dict[str, Any] | None = None
    omit: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    drawn: frozenset[str] = frozenset()
    backs: tuple[Fingerprint, ...] = ()
    inexact: frozenset[str] = frozenset()
    returns: bool = True
    cleaned: Fingerprint | None = None
    hidden: frozenset[tuple[str, str]] = frozenset()
    sums: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    def goes(self, direction: Direction) -> bool:
        """Whether the plan goes in a direction that is to be explored."""
        return direction in self.directions and (direction != "cleanup" or bool(self.plan.cleanup))

    def script(self, direction: Direction, step: str) -> Script | None:
        """The script that a run in a direction takes for a step; None for what is no step."""
        if direction == "cleanup":
            return next((s for s in self.plan.cleanup if s.name == f"{step}.sql"), None)
        found = next((one for one in self.plan.steps if one.id == step), None)
        return getattr(found, direction) if found else None

    def identity(self, dsn: str) -> Fingerprint:
        """The fingerprint of a database, without what differs by itself."""
        from harness.database import fingerprint

        return fingerprint.take(dsn, workers=1, omit=self.omit)

    def sweeping(self, **changes: Any) -> Plan:
        """The plan with a runner that is deterministic and in a hurry; `changes` come on top."""
        settings = replace(self.plan.runner, **{**SWEEP, **changes})
        return replace(self.plan, runner=settings)

    def server(self, profile: str = "durable") -> Server:
        """A new server for one worker alone, started; the caller closes it."""
        made = choose(
            self.provider, version=self.version, profile=profile, owner_pid=self.owner_pid
        )
        made.start()
        return made

    def furnish(self, server_dsn: str, name: str) -> str:
        """Create a database with baseline and seeded rows; its DSN."""
        from harness.database import admin
        from harness.runner import baseline

        admin.create(server_dsn, name)
        dsn = admin.with_dbname(server_dsn, name)
        if self.plan.baseline:
            baseline(dsn, self.plan)
        if self.rows:
            from harness.subject.choice import seeder_of

            fill = seeder_of(self.plan.name)
            try:
                fill(dsn, rows=self.rows, seed=self.seed, profile="real")
            except HarnessError as error:
                raise Refused(
                    f"the seeded rows do not fit plan {self.plan.name!r}: {error.message}",
                    hint="give --rows 0 where the baseline brings rows of its own",
                ) from error
        return dsn


def named(function: str) -> Callable[..., Any]:
    """The function that `module:function` names."""
    module, _, name = function.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
