"""The words of the exploration: a point to strike at, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias, cast

from harness.core.direction import DIRECTIONS, Direction
from harness.core.errors import UsageError
from harness.crash.setup import Setup
from harness.subject.protocol import Part

DomainName: TypeAlias = str
Verdict = Literal["pass", "fail", "unknown"]
START = "(start)"  # the runner's own work before its first step
END = "(end)"  # and after its last
WHOLE = "run"  # of a run that tells no steps: all of it
NOWHERE = "(nowhere)"  # the step of a point that stands for those that were not found


@dataclass(frozen=True, order=True)
class Point:
    """Where and how to strike. Its id is the same in every run on the same plan, rows and seed.

    `step` is a step's id, or START or END; `boundary` says where within the step, without spaces
    or colons: `m03` is the third message, `commit` its commit record.
    """

    domain: DomainName
    direction: Direction
    step: str
    boundary: str
    fault: str

    @property
    def id(self) -> str:
        """What `harness crash --replay` takes."""
        return ":".join((self.domain, self.direction, self.step, self.boundary, self.fault))

    @staticmethod
    def parse(text: str) -> Point:
        """Read an id back; UsageError when it is none."""
        parts = text.split(":")
        if len(parts) != 5 or parts[1] not in DIRECTIONS:
            raise UsageError(
                f"{text!r} is not a crash point",
                hint="write DOMAIN:DIRECTION:STEP:BOUNDARY:FAULT as a failure prints it",
            )
        domain, direction, *rest = parts
        return Point(domain, cast("Direction", direction), *rest)


@dataclass(frozen=True)
class CoverageRow:
    """One row of the coverage ledger. A fault that did not fire is never a pass.

    `state` names the state the database was left in; `reason` says why it is no pass, in one
    sentence; `evidence` is what was seen of the fault (a wait event, an error, a log line).
    """

    point: Point
    fired: bool
    verdict: Verdict
    state: str = ""
    reason: str = ""
    evidence: str = ""
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """As JSON."""
        point = asdict(self.point)
        rest = {name: value for name, value in asdict(self).items() if name != "point"}
        return {"id": self.point.id, **point, **rest, "seconds": round(self.seconds, 4)}


@dataclass(frozen=True)
class Task:
    """Points that one worker process explores together, because they share what is costly."""

    domain: DomainName
    points: tuple[Point, ...]
    weight: float = 1.0  # seconds that it may take, about: the longest go first
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Domain:
    """A way of striking, as a package registers it: see harness/crash/registry.py.

    `tasks` finds every point that must be struck by looking, not by striking. `run` strikes at each
    point of a task and gives one row for each. Both run in worker processes; all that they take and
    give is pickled. `faults` are the names of what is done; a part in capitals stands for what is
    found by looking. Of a subject without what the domain `needs` it is not applicable. `kinds`
    names the kind of step that a fault can strike where it is one alone.
    """

    name: DomainName
    faults: tuple[str, ...]
    tasks: Callable[[Setup], list[Task]]
    run: Callable[[Setup, Task], list[CoverageRow]]
    needs: frozenset[Part] = frozenset()
    strikes_cleanup: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)
