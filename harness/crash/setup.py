"""What every exploration stands on: a subject, rows, and how its run goes when left alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError, Refused
from harness.fault.process import LIMIT
from harness.plan import Plan, Script
from harness.server import choose
from harness.subject.plan import PlanSubject
from harness.subject.protocol import Part, Position, Seeder, Subject, has_direction

if TYPE_CHECKING:
    from harness.core.direction import Direction
    from harness.database.fingerprint import Fingerprint
    from harness.server import Server

LEDGER: frozenset[Part] = frozenset({"ledger", "steps"})
SWEEP: dict[str, Any] = {
    "adaptive": False,
    "heartbeat": 0.0,
    "reconnect": 0.0,
    "batch_rows": 100,
    "batch_min_rows": 25,
    "batch_turns": True,
    "retry_base": 0.01,
    "retry_max": 0.05,
    "takeover": 0.2,
    "lock_wait": 0.5,
    "long_use": 0.0,
    "max_wait": 0.0,
    "max_host_load_percent": 0,
    "lock_total": 0.0,
    "max_replication_lag_bytes": 0,
    "max_archive_backlog": 0,
    "max_wal_bytes_per_second": 0,
    "max_commit_latency": 0.0,
}
"""[runner] in a sweep: no clock decides what is sent, and nobody waits longer than needed.

A server of the exploration has no standby and archives nothing: there is nothing to wait for."""


@dataclass(frozen=True)
class Setup:
    """Everything a worker process must be told; picklable.

    `subject` is what runs; `plan` its plan, where it is one of ours. `before` and `after` are the
    fingerprints of the seeded database and of the migrated one, made by a run that nothing
    disturbed. `prepare` names a function, as module:function, that every runner process calls
    first: how tests plant defects in the engine. `rows` 0 seeds no rows.
    `lean` looks for less, where a few points will be chosen: see the wire domain.

    Of undisturbed runs: `omit` are the columns that no two of them share, `drawn` the sequences
    that they draw from, `hidden` the directions and steps that change nothing else than `omit`.
    Where the way back does not lead to `before`, `backs` says where it leads, by the steps that
    were done, and `inexact` which of them it does not undo; `returns` False: it fails. `cleaned` is
    the fingerprint of a migration that was cleaned up, `sums` has what each column held, by a
    fingerprint's digest of data. `positions` are those at the ends of undisturbed runs, of a
    subject without a ledger; `seconds` are what a run of it takes, `limit` what it may take.
    """

    subject: Subject
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
    positions: Mapping[str, Position | None] = field(default_factory=dict)
    seconds: float = 0.0
    limit: float = LIMIT

    @property
    def resumes(self) -> bool:
        """Whether a killed run goes on from a checkpoint of ours, and its steps are told."""
        return self.subject.has >= LEDGER

    @property
    def plan(self) -> Plan:
        """The plan. Only for what needs a ledger: no other subject has one."""
        assert isinstance(self.subject, PlanSubject), "the subject is not a plan"
        return self.subject.plan

    def with_plan(self, plan: Plan) -> Setup:
        """The same with another plan."""
        return replace(self, subject=PlanSubject(plan, self.subject.seeder))

    def undisturbed(self) -> Setup:
        """The same, and its runners are the product as it is."""
        return replace(self, prepare=None)

    def load_preparation(self) -> Callable[[], object]:
        """The function that `prepare` names, or one that does nothing; imported by who asks.

        A process that is forked afterwards has the module already.
        """
        return (lambda: None) if self.prepare is None else named(self.prepare)

    def goes(self, direction: Direction) -> bool:
        """Whether the subject goes in a direction that is to be explored."""
        return direction in self.directions and has_direction(self.subject, direction)

    def script(self, direction: Direction, step: str) -> Script | None:
        """The script that a run in a direction takes for a step; None for what is no step."""
        if direction == "cleanup":
            return next((s for s in self.plan.cleanup if s.name == f"{step}.sql"), None)
        found = next((one for one in self.plan.steps if one.id == step), None)
        return getattr(found, direction) if found else None

    def identity(self, dsn: str) -> Fingerprint:
        """The fingerprint of a database, without what differs by itself and bookkeeping."""
        from harness.database import fingerprint

        return fingerprint.take(dsn, workers=1, omit=self.omit, exclude=self.subject.bookkeeping)

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
        """Create a database with baseline and seeded rows; its DSN.

        Raises Refused when the rows do not fit the schema.
        """
        from harness.database import admin

        admin.create(server_dsn, name)
        dsn = admin.with_dbname(server_dsn, name)
        self.subject.prepare(dsn)
        seeder = self.subject.seeder or self._seeder()
        if self.rows and seeder is not None:
            try:
                seeder(dsn, rows=self.rows, seed=self.seed, profile="real")
            except HarnessError as error:
                raise Refused(
                    f"the seeded rows do not fit {self.subject.name!r}: {error.message}",
                    hint="give --rows 0 where the baseline brings rows of its own",
                ) from error
        return dsn

    def _seeder(self) -> Seeder | None:
        """Who makes the rows where the subject does not say; None: nothing to fill."""
        from harness.subject.choice import fill_from_catalog, seeder_of
        from harness.subject.project import find_project

        if isinstance(self.subject, PlanSubject):
            return seeder_of(self.plan.name)
        if "baseline" not in self.subject.has:
            return None
        project = find_project()
        if project is not None and project.kind == self.subject.kind:
            return seeder_of(None, project)
        return partial(fill_from_catalog)


def named(function: str) -> Callable[..., Any]:
    """The function that `module:function` names."""
    module, _, name = function.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
