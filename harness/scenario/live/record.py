"""What a run under traffic records on its way, by the part of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.traffic.history import (
    AnyRecord,
    Census,
    History,
    InvariantCount,
    Operation,
    StepWindow,
)
from harness.traffic.workload import operations_of, sessions_of

CONTROL: Final = "control"  # without a migration
MAIN: Final = "main"  # old clients, in the rounds that are judged
NEW: Final = "new"  # new clients, in the same rounds
SATURATED: Final = "saturated"  # in the rounds that only ask what gets done


@dataclass
class LiveRecord:
    """Records by part; `epoch` is added to their times to have those since 1970."""

    epoch: float
    parts: dict[str, list[AnyRecord]] = field(default_factory=dict)
    censuses: list[Census] = field(default_factory=list)
    invariants: list[InvariantCount] = field(default_factory=list)

    def add(self, part: str, records: Iterable[AnyRecord]) -> None:
        """Take records of a part."""
        self.parts.setdefault(part, []).extend(records)

    def operations(self, *parts: str) -> list[Operation]:
        """The operations of some parts, in the order in which they were sent."""
        return operations_of(self._records(parts))

    def history(self, steps: Sequence[StepWindow], *parts: str) -> History:
        """The history of some parts; of everything where none is named."""
        records = self._records(parts or tuple(self.parts))
        return History(
            operations_of(records), self.censuses, self.invariants, sessions_of(records), steps,
            self.epoch,
        )  # fmt: skip

    def _records(self, parts: Iterable[str]) -> list[AnyRecord]:
        return [record for part in parts for record in self.parts.get(part, ())]
