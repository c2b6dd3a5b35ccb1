"""What each part of some work cost when it was last measured, read from any document that says."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.document.base import OpenDocument, read_document

WHAT: Final = "a document with measured seconds"
AGAIN: Final = "name what harness crash, mutate, gate or merge wrote"


class _Row(OpenDocument, frozen=True, kw_only=True):
    id: str
    seconds: float = 0.0


class _Suite(OpenDocument, frozen=True, kw_only=True):
    name: str
    seconds: float = 0.0


class _Rows(OpenDocument, frozen=True, kw_only=True):
    rows: Sequence[_Row] = ()


class _Measured(OpenDocument, frozen=True, kw_only=True):
    rows: Sequence[_Row] | int = ()
    suites: Sequence[_Suite] = ()
    crash: _Rows | None = None
    mutate: _Rows | None = None

    def pairs(self) -> Iterator[tuple[str, float]]:
        """Name and seconds of all that was measured."""
        of_merge = [part.rows for part in (self.crash, self.mutate) if part is not None]
        own = [] if isinstance(self.rows, int) else [self.rows]
        for rows in (*own, *of_merge):
            yield from ((row.id, row.seconds) for row in rows)
        yield from ((suite.name, suite.seconds) for suite in self.suites)


@dataclass(frozen=True)
class Costs:
    """Seconds by name: of crash points, mutants or suites."""

    seconds: Mapping[str, float] = field(default_factory=dict)

    def of(self, name: str, otherwise: float) -> float:
        """What was measured, or the other figure where nothing was."""
        return self.seconds.get(name, otherwise)

    @property
    def digest(self) -> str:
        """The same for the same costs; empty for none."""
        if not self.seconds:
            return ""
        return hashlib.sha256(json.dumps(sorted(self.seconds.items())).encode()).hexdigest()[:16]


NO_COSTS: Final = Costs()
"""Nothing was measured."""


def read_costs(path: Path) -> Costs:
    """The costs that a document tells; UsageError names file and reason where it tells none."""
    document = read_document(path, _Measured, what=WHAT, hint=AGAIN)
    seconds = dict(document.pairs())
    if not seconds:
        raise UsageError("no seconds are measured in it", where=str(path), hint=AGAIN)
    strange = next((name for name, n in seconds.items() if not (n >= 0 and math.isfinite(n))), None)
    if strange is not None:
        raise UsageError(
            f"the seconds of {strange!r} are {seconds[strange]!r}", where=str(path), hint=AGAIN
        )
    return Costs(seconds)
