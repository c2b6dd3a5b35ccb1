"""How long a statement would take at the rows of production, by how its time grew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core.errors import HarnessError
from harness.rows import fill_schema
from harness.scenario.revisions.check_server import CheckServer
from harness.scenario.revisions.observe import StatementObserved, observe
from harness.subject.adapter.model import ForeignScript

TIMES: Final = 4
"""How many times the rows the second measurement has."""


@dataclass(frozen=True)
class Growth:
    """The rows that tables have, those of production, and the tables that get no rows."""

    rows: int
    like: int
    seed: int
    without: Collection[str] = ()


def project_seconds(
    server: CheckServer,
    current: str,
    script: ForeignScript,
    seen: Sequence[StatementObserved],
    growth: Growth,
) -> list[float | None]:
    """Seconds of each statement at the rows of production, on a straight line through two sizes.

    None for all where more rows cannot be made, or the script runs otherwise with them.
    """
    name = server.make(current)
    try:
        more = (TIMES - 1) * growth.rows
        fill_schema(
            server.all_seeing(name), rows=more, seed=growth.seed + 1, without=growth.without
        )
        larger = observe(server.dsn(name), script).statements
    except HarnessError:
        return [None] * len(seen)
    finally:
        server.drop(name)
    if len(larger) != len(seen):
        return [None] * len(seen)
    return [
        project(one.seconds, other.seconds, growth) for one, other in zip(seen, larger, strict=True)
    ]


def project(few: float, many: float, growth: Growth) -> float:
    """The seconds at `like` rows; what took no longer with more rows does not grow."""
    slope = max(0.0, many - few) / ((TIMES - 1) * growth.rows)
    return round(few + slope * max(0, growth.like - growth.rows), 3)
