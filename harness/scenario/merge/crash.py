"""The ledger of a whole exploration from those of its shards: the same, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec

from harness.core.direction import Direction
from harness.crash.coverage import Coverage
from harness.crash.golden_note import GOLDEN, Note
from harness.crash.model import NOWHERE, CoverageRow, Point
from harness.crash.replay import PointReplay
from harness.document.crash import (
    UNSET,
    CrashDocument,
    FailureDocument,
    NoteOutcome,
    PointDocument,
)

BOUNDS = "bounds"  # a note that says how many points were taken, so each shard has its own


@dataclass(frozen=True)
class ToldReplay(PointReplay):
    """Lines that repeat a point, with the options that the shards' own lines have."""

    options: str = ""

    def again(self, what: str) -> str:
        """One line for a shell that explores `what` on the same ground."""
        return f"harness crash {what}{self.options}"


def merge_crash(shards: Sequence[CrashDocument]) -> CrashDocument:
    """One ledger. What no shard struck is missing there, so the verdict is fail."""
    first = shards[0]
    if len(shards) == 1 and not first.shard:
        return first
    whole = first.shard.whole if first.shard else ()
    rows = [row for shard in shards for row in shard.rows]
    unstruck = [one for one in first.missing if one.step == NOWHERE]
    coverage = Coverage(
        tuple(Point.parse(name) for name in whole),
        tuple(_row(row) for row in rows),
        tuple(first.steps[1:-1]),
        files=dict(_files(shards)),
        notes=tuple(_notes(shards)),
        cleanup=tuple(first.cleanup_steps[1:-1]),
        unstruck=tuple((_point(one), one.reason) for one in unstruck),
    )
    environment = {**first.environment, "shards": len(shards)}
    made = coverage.document(
        _replay(first, rows), environment, seconds=sum(shard.seconds for shard in shards)
    )
    return msgspec.structs.replace(
        made,
        asked=first.asked,
        enumerated=first.enumerated,
        sample=first.sample,
        not_applicable=first.not_applicable,
        not_asked=first.not_asked,
        omitted=first.omitted,
        drawn=first.drawn,
        shard=UNSET,
    )


def _point(one: PointDocument) -> Point:
    direction = cast("Direction", one.direction)
    return Point(one.domain, direction, one.step, one.boundary, one.fault)


def _row(row: PointDocument) -> CoverageRow:
    return CoverageRow(
        _point(row), row.fired, row.verdict, row.state, row.reason, row.evidence, row.seconds
    )


def _files(shards: Sequence[CrashDocument]) -> Iterator[tuple[tuple[str, str], str]]:
    """The file of a step, where a shard named it for what did not pass."""
    for shard in shards:
        for cause in shard.causes:
            if cause.file:
                yield (cause.direction, cause.step), cause.file


def _notes(shards: Sequence[CrashDocument]) -> Iterator[Note]:
    """What undisturbed runs showed, on whichever machine, said once."""
    told: set[str] = set()
    for shard in shards:
        for note in (*shard.failures, *shard.unknowns, *shard.notes):
            if note.domain == GOLDEN and _key(note) not in told:
                told.add(_key(note))
                yield Note(
                    note.boundary,
                    _outcome(note),
                    cast("Direction", note.direction),
                    note.step,
                    note.reason,
                    note.file or "",
                )


def _key(note: FailureDocument) -> str:
    """What is one note; of two machines that differ in the outcome both are told."""
    said = "" if note.boundary == BOUNDS else note.reason
    return f"{note.id} {note.outcome} {said}"


def _outcome(note: FailureDocument) -> NoteOutcome:
    if note.outcome == "info":
        return "info"
    return "unknown" if note.outcome == "unknown" else "failed"


def _replay(first: CrashDocument, rows: Sequence[PointDocument]) -> ToldReplay:
    """The options behind the point in any line that a shard told."""
    told = first.environment
    plain = PointReplay(int(told.get("rows", 0)), int(told.get("seed", 1)))
    for row in (*rows, *first.missing):
        begin, separator, options = row.replay.partition(f"--replay '{row.id}'")
        if separator and begin == "harness crash ":
            return ToldReplay(plain.rows, plain.seed, options=options)
    return ToldReplay(plain.rows, plain.seed, options=plain.again("")[len("harness crash ") :])
