"""The history of a workload: a file of JSON lines outside the database, and its records.

Times are seconds of the machine's monotonic clock, which all clients share. A line is a record;
its `type` says which one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeVar

import msgspec

from harness.core.errors import UsageError

FORMAT: Final = 1
Kind = TypeVar("Kind")
HINT: Final = "a history is what `harness live` wrote; it cannot be judged in part"

OperationKind: TypeAlias = Literal["insert", "update", "delete", "read"]
Outcome: TypeAlias = Literal["acknowledged", "refused", "unknown"]
Row: TypeAlias = tuple[str, str | None]
"""The key of a row, and its value as the workload knows it."""


class HistoryRecord(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """A line of a history."""


class HistoryHeader(HistoryRecord, frozen=True, kw_only=True, tag="history"):
    """The first line: the format, and what is added to its times to have those since 1970."""

    format: int
    epoch: float


class Operation(HistoryRecord, frozen=True, kw_only=True, tag="operation"):
    """What a client tried, and what it was told.

    `value` is what it wrote, unlike any other value; `key` is empty for an insert whose key the
    database chooses. `answered` is None where no answer came. `rows` are what came back.
    """

    client: int
    name: str
    kind: OperationKind
    table: str
    key: str
    value: str | None = None
    planned: float
    sent: float
    answered: float | None
    outcome: Outcome
    sqlstate: str = ""
    rows: tuple[Row, ...] = ()


class Census(HistoryRecord, frozen=True, kw_only=True, tag="census"):
    """All rows of a table at one moment between `sent` and `answered`, read by one statement.

    `moment` says when: before, forward, end. The one before has the values nobody here wrote.
    """

    moment: str
    table: str
    sent: float
    answered: float
    rows: tuple[Row, ...]


class InvariantCount(HistoryRecord, frozen=True, kw_only=True, tag="invariant"):
    """How many rows broke a rule of the subject at a moment; None: the rule could not be asked."""

    moment: str
    name: str
    rows: int | None
    example: str = ""


class WorkloadSession(HistoryRecord, frozen=True, kw_only=True, tag="session"):
    """A client has a session of its own from then on: the process id of its backend."""

    client: int
    since: float
    pid: int


class StepWindow(HistoryRecord, frozen=True, kw_only=True, tag="step"):
    """A step of a run: when it began, when its work was done, and when the next one could begin.

    `killed` says that its runner was killed meanwhile.
    """

    direction: str
    step: str
    kind: str
    begun: float
    done: float
    ended: float
    killed: bool = False


AnyRecord: TypeAlias = (
    HistoryHeader | Operation | Census | InvariantCount | WorkloadSession | StepWindow
)


@dataclass(frozen=True)
class History:
    """Everything that a history says, each kind in the order of the file."""

    operations: Sequence[Operation] = ()
    censuses: Sequence[Census] = ()
    invariants: Sequence[InvariantCount] = ()
    sessions: Sequence[WorkloadSession] = ()
    steps: Sequence[StepWindow] = ()
    epoch: float = 0.0


def row_told(row: Sequence[object]) -> Row:
    """The key and the value of a row as the database gave them, as texts."""
    return str(row[0]), None if row[1] is None else str(row[1])


def encode_records(records: Iterable[AnyRecord]) -> bytes:
    """Lines of a history file."""
    return msgspec.json.Encoder().encode_lines(list(records))


def write_history(path: Path, history: History) -> None:
    """Write a whole history, operations in the order in which they were sent."""
    operations = sorted(history.operations, key=lambda operation: operation.sent)
    parts: tuple[Iterable[AnyRecord], ...] = (
        [HistoryHeader(format=FORMAT, epoch=history.epoch)],
        *(history.sessions, history.steps, operations, history.censuses, history.invariants),
    )
    path.write_bytes(b"".join(encode_records(part) for part in parts))


def read_history(path: Path) -> History:
    """The history in a file.

    Raises UsageError with file and line where a line is not a record, or the file is cut off.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the history cannot be read: {error.strerror}", where=str(path), hint=HINT
        ) from None
    if not data:
        raise UsageError("the history is empty", where=str(path), hint=HINT)
    if not data.endswith(b"\n"):
        line = data.count(b"\n") + 1
        raise UsageError("the history is cut off", where=f"{path}:{line}", hint=HINT)
    return gather_history(_decoded(path, data))


def _decoded(path: Path, data: bytes) -> Iterator[AnyRecord]:
    decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)
    for number, line in enumerate(data.splitlines(), 1):
        try:
            record = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"is not a record of a history: {error}", where=f"{path}:{number}", hint=HINT
            ) from None
        if (number == 1) != isinstance(record, HistoryHeader):
            said = "the first line is not its header" if number == 1 else "it has a second header"
            raise UsageError(said, where=f"{path}:{number}", hint=HINT)
        if isinstance(record, HistoryHeader) and record.format != FORMAT:
            said = f"the history has format {record.format}, this harness reads {FORMAT}"
            raise UsageError(said, where=f"{path}:{number}", hint=HINT)
        yield record


def gather_history(records: Iterable[AnyRecord]) -> History:
    """The records of a history, by their kind."""
    every = list(records)
    header = next(iter(_of_kind(every, HistoryHeader)), None)
    return History(
        operations=_of_kind(every, Operation),
        censuses=_of_kind(every, Census),
        invariants=_of_kind(every, InvariantCount),
        sessions=_of_kind(every, WorkloadSession),
        steps=_of_kind(every, StepWindow),
        epoch=header.epoch if header else 0.0,
    )


def _of_kind(records: Iterable[AnyRecord], kind: type[Kind]) -> list[Kind]:
    return [record for record in records if isinstance(record, kind)]
