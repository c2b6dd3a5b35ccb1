"""Check a history: a function of what was recorded, which asks no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.check.history.anomaly import KINDS, Anomalies, Anomaly
from harness.check.history.answers import check_answer
from harness.check.history.index import WriteIndex, index_writes
from harness.check.history.observation import Observation, check_observation, check_whole
from harness.core.finding import Finding
from harness.document.base import Word
from harness.traffic.history import History, InvariantCount, Operation

BEFORE = "before"
END = "end"


@dataclass(frozen=True)
class HistoryResult:
    """What a history shows; `unknowns` are the reasons why it could not be judged whole."""

    findings: Sequence[Finding] = ()
    unknowns: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def verdict(self) -> Word:
        """Fail where anything is wrong; unknown where not all could be judged; else pass."""
        if self.findings:
            return "fail"
        return "unknown" if self.unknowns else "pass"


def check_history(history: History) -> HistoryResult:
    """Judge every operation, census and invariant of a history."""
    anomalies = Anomalies()
    before = [census for census in history.censuses if census.moment == BEFORE]
    index = index_writes(history.operations, before)
    indistinct = _indistinct(history.operations, index)
    for operation in history.operations:
        for anomaly in check_answer(operation, index):
            anomalies.add(anomaly)
    _check_reads(history.operations, index, anomalies)
    for census in history.censuses:
        if census.moment != BEFORE:
            for anomaly in check_whole(census, index, final=census.moment == END):
                anomalies.add(anomaly)
    broken, unasked = _invariants(history.invariants)
    for anomaly in broken:
        anomalies.add(anomaly)
    unknowns = (*indistinct, *_unread(history), *unasked)
    return HistoryResult(anomalies.findings(), unknowns, _counts(history, anomalies))


def _check_reads(operations: Iterable[Operation], index: WriteIndex, anomalies: Anomalies) -> None:
    for operation in operations:
        if operation.kind != "read" or operation.outcome != "acknowledged":
            continue
        if operation.answered is None or len(operation.rows) > 1:
            continue  # said by the check of answers
        value = operation.rows[0][1] if operation.rows else None
        observation = Observation(
            operation.table, operation.key, bool(operation.rows), value,
            operation.sent, operation.answered, operation.client,
        )  # fmt: skip
        anomaly = check_observation(observation, index, final=False)
        if anomaly is not None:
            anomalies.add(anomaly)


def _indistinct(operations: Sequence[Operation], index: WriteIndex) -> list[str]:
    """Why values cannot be told apart; empty where every write has one of its own."""
    if index.reused:
        value = index.reused[0].value
        said = f"{len(index.reused)} values were written twice, such as {value!r}"
        return [f"{said}: a workload must write each value once"]
    if not any(each.kind != "read" and each.outcome == "acknowledged" for each in operations):
        return ["no write was acknowledged: nothing could be lost"]
    return []


def _unread(history: History) -> list[str]:
    """The tables that were written and not read as a whole before the first write or at the end."""
    written = {one.table for one in history.operations if one.kind != "read"}
    unknowns = []
    for moment in (BEFORE, END):
        read = {census.table for census in history.censuses if census.moment == moment}
        when = "before the clients began" if moment == BEFORE else "at the end"
        unknowns += [
            f"{table} was written, and not read whole {when}" for table in sorted(written - read)
        ]
    return unknowns


def _invariants(counts: Iterable[InvariantCount]) -> tuple[list[Anomaly], list[str]]:
    """The rules that were broken, and those that could not be asked or were broken before."""
    broken, unasked = [], []
    counted = list(counts)
    first = {one.name: one for one in counted if one.moment == BEFORE}
    for one in counted:
        before = first.get(one.name)
        if one.rows is None:
            unasked.append(f"the rule {one.name!r} could not be asked {one.moment}: {one.example}")
        elif one.moment == BEFORE and one.rows:
            unasked.append(f"the rule {one.name!r} was broken by {one.rows} rows before any run")
        elif one.rows and not (before and before.rows):
            example = f", such as {one.example}" if one.example else ""
            said = f"{one.moment}: {one.rows} rows{example}"
            broken.append(Anomaly("history.invariant", one.name, said))
    return broken, unasked


def _counts(history: History, anomalies: Anomalies) -> dict[str, int]:
    outcomes = {"acknowledged": 0, "refused": 0, "unknown": 0}
    writes = {"acknowledged": 0, "refused": 0, "unknown": 0}
    for operation in history.operations:
        outcomes[operation.outcome] += 1
        if operation.kind != "read":
            writes[operation.outcome] += 1
    return {
        "operations": len(history.operations),
        **outcomes,
        "writes": sum(writes.values()),
        **{f"writes_{outcome}": count for outcome, count in writes.items()},
        "reads": len(history.operations) - sum(writes.values()),
        "censuses": len(history.censuses),
        **{kind.removeprefix("history."): anomalies.count(kind) for kind in KINDS},
    }
