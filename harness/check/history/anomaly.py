"""What can be wrong with a history, each with a stable id, and the findings made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.core.finding import Finding

SHOWN: Final = 3  # of a kind, in the evidence


@dataclass(frozen=True)
class Anomaly:
    """One thing that may not be: which kind, of which table, and what was seen."""

    id: str
    table: str
    said: str
    client: int = -1
    begun: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True)
class AnomalyKind:
    """What a kind of anomaly means, for one and for several, and what to do."""

    one: str
    several: str
    hint: str


KINDS: Final[Mapping[str, AnomalyKind]] = {
    "history.lost": AnomalyKind(
        "an acknowledged write is lost",
        "{count} acknowledged writes are lost",
        "a client was told that they are there: find the step that copied before it and switched"
        " after it; a backfill needs a trigger that sees every insert, update and delete",
    ),
    "history.doubled": AnomalyKind(
        "a write is there more than once",
        "{count} writes are there more than once",
        "a row was copied twice: the backfill and the trigger both made it, or a batch was repeated"
        " without ON CONFLICT",
    ),
    "history.refused_present": AnomalyKind(
        "a refused write is there all the same",
        "{count} refused writes are there all the same",
        "the client was told that nothing happened and will try again: what refuses must undo all",
    ),
    "history.foreign": AnomalyKind(
        "a value is there that nobody wrote to that row",
        "{count} values are there that nobody wrote to that row",
        "a copy took another row's value, changed it on the way, or put it under another owner",
    ),
    "history.answer": AnomalyKind(
        "an answer does not fit its request",
        "{count} answers do not fit their request",
        "the statement reached other rows than were named, or none: look at the views and triggers"
        " that stand in for the old tables",
    ),
    "history.stale": AnomalyKind(
        "a read did not see what was acknowledged before it",
        "{count} reads did not see what was acknowledged before them",
        "the old clients' view reads a copy that is behind, or lacks rows for a while: make the"
        " switch and the last copy one transaction",
    ),
    "history.invariant": AnomalyKind(
        "a rule of the subject is broken",
        "{count} rules of the subject are broken",
        "ask the rule after each step, to find the one that broke it",
    ),
}


@dataclass
class Anomalies:
    """The anomalies found so far, by kind and table."""

    found: dict[tuple[str, str], list[Anomaly]] = field(default_factory=dict)

    def add(self, anomaly: Anomaly) -> None:
        """Take one up."""
        self.found.setdefault((anomaly.id, anomaly.table), []).append(anomaly)

    def count(self, kind: str) -> int:
        """How many there are of a kind."""
        return sum(len(each) for (name, _), each in self.found.items() if name == kind)

    def findings(self) -> list[Finding]:
        """One finding for each kind and table, with the first few as evidence."""
        order = list(KINDS)
        kinds = sorted(self.found.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
        return [_finding(name, table, each) for (name, table), each in kinds]


def _finding(name: str, table: str, each: list[Anomaly]) -> Finding:
    kind = KINDS[name]
    said = kind.one if len(each) == 1 else kind.several.format(count=f"{len(each):,}")
    more = f"; and {len(each) - SHOWN} more" if len(each) > SHOWN else ""
    evidence = "; ".join(_spelled(each[:SHOWN])) + more
    return Finding(name, "critical", table, said, kind.hint, evidence)


def _spelled(each: Iterable[Anomaly]) -> Iterable[str]:
    return (one.said for one in each)
