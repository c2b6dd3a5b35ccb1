"""What a gate is asked to judge, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.core.shard import Shard
from harness.document.costs import NO_COSTS, Costs
from harness.scenario.gate.discovery import DIRECTORY
from harness.subject.project import Project, current_project, find_project


@dataclass(frozen=True)
class GateSettings:
    """What to judge and on what: a plan, or without one the subject of the project here.

    A `shard` runs some of the suites alone, cut by the measured `costs`. A subject that is
    `trusted` may run where nothing keeps it from other databases.
    """

    plan: Path | None
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
    trusted: bool = False
    shard: Shard | None = None
    costs: Costs = NO_COSTS

    @property
    def project(self) -> Project | None:
        """The project whose plan it is; None for a plan that stands alone."""
        if self.plan is None:
            return current_project()
        plan = self.plan.resolve()
        for start in (Path.cwd(), plan.parent):
            found = find_project(start)
            if found is not None and found.file is not None and found.path == plan:
                return found
        return None

    @property
    def root(self) -> Path:
        """The root of the project; of a plan that stands alone, the directory with its suites."""
        if self.project is not None:
            return self.project.root
        assert self.plan is not None, "it is the subject of a project"
        above = self.plan.resolve().parent
        suited = [one for one in (above, above.parent) if (one / DIRECTORY).is_dir()]
        return suited[0] if suited else above.parent if above.name == "sql" else above
