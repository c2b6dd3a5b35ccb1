"""What a plan is: ordered phases of ordered steps, each with a way forward and a way back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.core.direction import Direction
from harness.core.errors import UsageError
from harness.plan.hooks import Hook
from harness.plan.rules import (
    BackupRules,
    DrainRules,
    DryRunRules,
    MaintenanceRules,
    RequireVerdict,
    ValidateRules,
    VerifyRules,
)

Kind = Literal["transaction", "batch", "concurrent"]
KINDS: tuple[Kind, ...] = ("transaction", "batch", "concurrent")
MOST_WORKERS = 64
"""Who may share a batch step, at most."""


@dataclass(frozen=True)
class CopyRows:
    """The data of COPY … FROM stdin as the file has it, and the line on which it starts."""

    text: str
    line: int


@dataclass(frozen=True)
class Statement:
    """One SQL statement, the line of its file on which it starts, and its parse-tree name.

    `rows` is what a COPY … FROM stdin of a baseline sends.
    """

    text: str
    line: int
    tag: str
    rows: CopyRows | None = None


@dataclass(frozen=True)
class Script:
    """One file: its header and its statements. `name` is its path below the plan's directory.

    `irreversible` is why a way back cannot restore what was before, `stays` what it leaves.
    """

    path: Path
    name: str
    kind: Kind
    statements: tuple[Statement, ...]
    sha256: str
    summary: str = ""
    nothing: str | None = None
    irreversible: str | None = None
    stays: str | None = None
    table: str | None = None
    key: str | None = None
    batch: int | None = None
    lock_timeout: str | None = None
    statement_timeout: str | None = None
    max_wait: float | None = None
    duty: int = 100
    batch_workers: int | None = None
    settings: tuple[tuple[str, str], ...] = ()

    def at(self, line: int) -> str:
        """File and line, for a message."""
        return f"{self.path}:{line}"


@dataclass(frozen=True)
class Step:
    """A numbered step; `id` is the phase's id and the file's name, such as 1.1/010_enums."""

    id: str
    phase: str
    number: int
    forward: Script
    rollback: Script

    @property
    def name(self) -> str:
        """The step's name without its phase, such as 010_enums."""
        return self.id.split("/", 1)[1]

    def script(self, direction: Direction) -> Script:
        """The file that a run in this direction executes; ValueError for a clean-up."""
        if direction == "cleanup":
            raise ValueError("a clean-up takes no steps")
        return self.forward if direction == "forward" else self.rollback

    @property
    def irreversible(self) -> str | None:
        """Why the way back leaves something of this step behind, or None when it undoes it."""
        return self.rollback.irreversible


@dataclass(frozen=True)
class Phase:
    """A named group of steps."""

    id: str
    name: str
    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class RunnerSettings:
    """How the runner behaves; changing these between runs is allowed. Times in seconds."""

    lock_timeout: float = 2.0
    concurrent_lock_timeout: float = 60.0
    statement_timeout: float = 0.0
    batch_rows: int = 5000
    batch_min_rows: int = 100
    batch_max_rows: int = 20000
    batch_target: float = 1.0
    batch_statement_timeout: float = 60.0
    batch_workers: int = 1
    batch_turns: bool = False
    adaptive: bool = True
    retries: int = 12
    retry_base: float = 0.1
    retry_max: float = 5.0
    reconnect: float = 30.0
    takeover: float = 10.0
    heartbeat: float = 2.0
    lease: float = 15.0
    lock_wait: float = 1.0
    stall: float = 10.0
    idle_in_transaction: float = 60.0
    long_use: float = 60.0
    long_use_wait: float = 60.0
    max_wait: float = 0.5
    lock_calm: float = 15.0
    lock_total: float = 180.0
    max_replication_lag_bytes: int = 0
    max_active_sessions: int = 0
    max_wal_bytes_per_second: int = 0
    max_archive_backlog: int = 0
    max_slot_wal_bytes: int = 0
    max_commit_latency: float = 0.0
    min_free_disk_bytes: int = 0
    max_host_load_percent: int = 0
    max_memory_bytes: int = 0
    throttle_limit: float = 600.0


@dataclass(frozen=True)
class PreflightRules:
    """What a database must hold, and must not hold, for the plan to start on it.

    `extensions` must be installed; `postgres` are the oldest and the newest major version that the
    plan was tried on; a transaction older than `long_transaction` seconds is a finding.
    """

    requires: dict[str, tuple[str, ...]] = field(default_factory=dict)
    forbids: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    postgres: tuple[int, int] = (15, 18)
    long_transaction: float = 60.0


@dataclass(frozen=True)
class Plan:
    """A checked plan.

    `hash` covers every file, checks too, and everything in plan.toml but [runner] and
    [require_verdict]. `files` is what a run depends on: how strictly it is judged is not. With
    `starts_empty` the baseline makes no relation: the plan may start in an empty database.
    """

    name: str
    version: str
    path: Path
    hash: str
    manifest_sha256: str
    variables: dict[str, str]
    phases: tuple[Phase, ...]
    window_hours: float
    retention_days: float
    preflight: PreflightRules
    runner: RunnerSettings
    baseline: tuple[Script, ...] = ()
    cleanup: tuple[Script, ...] = ()
    alters: tuple[str, ...] = ()
    starts_empty: bool = False
    validate: ValidateRules = field(default_factory=ValidateRules)
    verify: VerifyRules = field(default_factory=VerifyRules)
    dry_run: DryRunRules = field(default_factory=DryRunRules)
    require_verdict: RequireVerdict | None = None
    maintenance: MaintenanceRules = field(default_factory=MaintenanceRules)
    drain: DrainRules | None = None
    backup: BackupRules = field(default_factory=BackupRules)
    hooks: tuple[Hook, ...] = ()

    @property
    def root(self) -> Path:
        """The directory of plan.toml."""
        return self.path.parent

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step of every phase, in order."""
        return tuple(step for phase in self.phases for step in phase.steps)

    @property
    def irreversible(self) -> tuple[Step, ...]:
        """The steps whose way back is declared to leave something behind, in order."""
        return tuple(step for step in self.steps if step.irreversible is not None)

    @property
    def files(self) -> dict[str, str]:
        """The sha256 of every file that a run depends on, by name below the root."""
        hashes = {self.path.name: self.manifest_sha256}
        for step in self.steps:
            for script in (step.forward, step.rollback):
                hashes[script.name] = script.sha256
        return hashes

    def step(self, step_id: str) -> Step:
        """The step with this id; KeyError when the plan has none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def resolve(self, until: str) -> Step:
        """The last step that `until` asks for: a step id, a bare step name, or a phase."""
        for phase in self.phases:
            if until in (phase.id, phase.name, f"{phase.id}_{phase.name}") and phase.steps:
                return phase.steps[-1]
        found = [step for step in self.steps if until in (step.id, step.name)]
        found = found or [step for step in self.steps if step.name.split("_", 1)[1] == until]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(step.id for step in found)
            raise UsageError(f"{until!r} names more than one step", hint=f"say which: {names}")
        known = ", ".join(phase.id for phase in self.phases)
        raise UsageError(
            f"the plan has no step or phase {until!r}",
            where=str(self.path),
            hint=f"phases are {known}; a step is named like {self.steps[0].id}"
            if self.steps
            else "the plan has no steps",
        )
