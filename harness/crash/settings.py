"""The settings of an exploration, and what is wrong with them before anything is started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from harness.core.direction import DIRECTIONS, Direction
from harness.core.errors import UsageError
from harness.core.shard import Shard
from harness.crash import fault_names
from harness.crash.model import DomainName, Point
from harness.crash.registry import DOMAINS
from harness.crash.request import CrashRequest
from harness.document.costs import NO_COSTS, Costs
from harness.subject.protocol import Subject

Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class CrashSettings:
    """What to explore. `points` None is all of them; `build` None writes nothing.

    `subject` is what is struck, and `named` the words of the command line that name it, for the
    line that replays a point; without one it is the plan at `plan`. A `shard` is struck alone,
    cut by the measured `costs`, else by what each kind of task costs.
    """

    plan: Path = Path("plan.toml")
    rows: int = 1000
    seed: int = 1
    points: int | None = None
    boundaries: bool = False
    domains: tuple[DomainName, ...] = DOMAINS
    directions: tuple[Direction, ...] = DIRECTIONS
    faults: tuple[str, ...] = ()
    replay: str | None = None
    server: str = "embedded"
    pg_version: int | None = None
    workers: int = 2
    build: Path | None = Path("build")
    subject: Subject | None = None
    named: tuple[str, ...] = ()
    shard: Shard | None = None
    costs: Costs = NO_COSTS

    @property
    def asked(self) -> CrashRequest:
        """What the ledger is held against."""
        return CrashRequest(self.domains, self.directions, self.faults, self.points, self.replay)


def narrowed(settings: CrashSettings, subject: Subject) -> CrashSettings:
    """The domains and directions that the named faults, or the one point, can be in.

    UsageError for a fault or a point that none of them can have.
    """
    if settings.replay:
        point = Point.parse(settings.replay)
        fault_names.refuse_unknown(point, subject)
        settings = replace(settings, domains=(point.domain,), directions=(point.direction,))
    if settings.faults:
        known = fault_names.knowing(settings.domains, settings.faults)
        settings = replace(settings, domains=known)
    return settings


def listed(what: str, text: str, known: Sequence[Name]) -> tuple[Name, ...]:
    """Names from a list with commas, in the order of those known; UsageError for another one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    strange = [name for name in names if name not in known]
    if strange or not names:
        raise UsageError(
            f"no {what} {strange[0]!r}" if strange else f"no {what} is named",
            hint="one or more of " + ", ".join(known),
        )
    return tuple(name for name in known if name in names)
