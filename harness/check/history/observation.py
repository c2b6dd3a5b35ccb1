"""Whether what was seen of a row, by a client or by a census, may have been there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from harness.check.history.anomaly import Anomaly
from harness.check.history.index import RowWrites, WriteIndex, end_of, row_of
from harness.traffic.history import Census, Operation

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of one row between `sent` and `answered`: its value, or that it is absent."""

    table: str
    key: str
    present: bool
    value: str | None
    sent: float
    answered: float
    client: int = NOBODY


def check_observation(
    observation: Observation, index: WriteIndex, *, final: bool
) -> Anomaly | None:
    """What is wrong with what was seen; None where it may have been so.

    `final` says that nobody writes any more: what is not seen then is lost, not late.
    """
    row = index.rows.get((observation.table, observation.key))
    if not observation.present:
        if row is None or row.may_lack(observation.sent, observation.answered):
            return None
        return _behind(observation, row, -inf, final=final)
    writer = None if observation.value is None else index.values.get(observation.value)
    if writer is None:
        if row is not None and row.existed and row.initial == observation.value:
            return _behind(observation, row, -inf, final=final)
        return _anomaly(
            "history.foreign", observation, f"has {observation.value!r}, which nobody wrote"
        )
    if writer.outcome == "refused":
        why = writer.sqlstate or "no reason"
        said = f"has {observation.value!r}, which was refused to client {writer.client} ({why})"
        return _anomaly("history.refused_present", observation, said)
    wrong = _misplaced(observation, writer)
    return wrong or (
        None if row is None else _behind(observation, row, end_of(writer), final=final)
    )


def _misplaced(observation: Observation, writer: Operation) -> Anomaly | None:
    """Whether a written value is in another row than it was written to, or there too soon."""
    key = row_of(writer)
    if writer.table != observation.table or (key and key != observation.key):
        said = (
            f"has {observation.value!r}, which was written to {writer.table} row {key or 'unknown'}"
        )
        return _anomaly("history.foreign", observation, said)
    if writer.sent > observation.answered:
        said = f"has {observation.value!r} before it was written"
        return _anomaly("history.foreign", observation, said)
    return None


def _behind(
    observation: Observation, row: RowWrites, since: float, *, final: bool
) -> Anomaly | None:
    """Whether a write is missing that was sent after the seen one was over, and answered."""
    newest = row.newest_before(observation.sent)
    if newest is None or newest.sent <= since:
        if newest is None and not observation.present:
            said = "was there before the clients began, nobody deleted it, and it is absent"
            return _anomaly("history.lost" if final else "history.stale", observation, said)
        return None
    if newest.kind == "delete" and not observation.present:
        return None
    seen = f"{observation.value!r}" if observation.present else "no row"
    wrote = "deleted it" if newest.kind == "delete" else f"wrote {newest.value!r}"
    answered = end_of(newest)
    if final:
        return _anomaly(
            "history.lost", observation, f"client {newest.client} {wrote}; there is {seen}"
        )
    late = (observation.answered - answered) * 1000
    said = f"client {newest.client} {wrote}; {late:.0f} ms after the answer there is still {seen}"
    return _anomaly("history.stale", observation, said, answered)


def _anomaly(kind: str, observation: Observation, said: str, begun: float | None = None) -> Anomaly:
    return Anomaly(
        kind, observation.table, f"row {observation.key}: {said}",
        observation.client, observation.sent if begun is None else begun, observation.answered,
    )  # fmt: skip


def check_whole(census: Census, index: WriteIndex, *, final: bool) -> Iterator[Anomaly]:
    """What is wrong with all rows of a table: those that are there, and those that are not."""
    seen: dict[str, str | None] = {}
    places: dict[str, str] = {}
    for key, value in census.rows:
        observation = Observation(census.table, key, True, value, census.sent, census.answered)
        first = places.get(value) if value is not None and value in index.values else None
        if key in seen:
            yield _anomaly("history.doubled", observation, "is there more than once")
        elif first is not None:
            yield _anomaly(
                "history.doubled", observation, f"has {value!r}, which row {first} has too"
            )
        else:
            anomaly = check_observation(observation, index, final=final)
            if anomaly is not None:
                yield anomaly
        seen[key] = value
        if value is not None:
            places.setdefault(value, key)
    for table, key in index.rows:
        if table == census.table and key not in seen:
            observation = Observation(table, key, False, None, census.sent, census.answered)
            anomaly = check_observation(observation, index, final=final)
            if anomaly is not None:
                yield anomaly
