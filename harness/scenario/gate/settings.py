"""What a gate is asked to judge, on what, and which suites that takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UsageError
from harness.report.section.registry import list_required

SUITES = (
    *("validation", "dry_run", "forward", "verify", "security", "contract", "compatibility"),
    *("meanwhile", "rollback", "cleanup", "resume", "crash"),
)
PLANTED = ("sabotage",)
"""Suites that judge the checks, not the plan: run with `full` only."""
APART = ("benchmark",)
"""Suites that a gate never runs: they measure, and prove nothing."""


@dataclass(frozen=True)
class Settings:
    """What to judge and on what."""

    plan: Path
    build: Path
    rows: int = 10_000
    seed: int = 1
    server: str = "auto"
    dsn: str | None = None
    pg_version: int | None = None
    pg_image: str | None = None
    workers: int = 2
    full: bool = False
    keep_failed: bool = False
    quiet: bool = False

    @property
    def root(self) -> Path:
        """The checkout that the plan lies in."""
        return self.plan.resolve().parent.parent

    @property
    def tests(self) -> Path:
        """The directory of the release suites; UsageError when there is none."""
        found = self.root / "tests" / "migration"
        if not found.is_dir():
            raise UsageError(
                f"no suites in {found}", hint="run the gate from a checkout of the project"
            )
        return found

    @property
    def expected(self) -> tuple[str, ...]:
        """The suites without which there is no GO."""
        return (*SUITES, *PLANTED) if self.full else SUITES

    @property
    def evidence(self) -> tuple[str, ...]:
        """The evidence without which there is no GO."""
        return (*list_required(), *PLANTED) if self.full else list_required()

    @property
    def left_alone(self) -> tuple[Path, ...]:
        """The files of suites that this gate does not run: whole files, never single tests."""
        names = APART if self.full else (*APART, *PLANTED)
        return tuple(self.tests / f"test_{name}.py" for name in names)
