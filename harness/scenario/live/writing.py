"""The document of a run under traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.finding import Finding
from harness.core.tree_hash import tool_hash
from harness.document.base import Word
from harness.document.live import (
    UNSET,
    HistoryDocument,
    LiveDocument,
    LivePlanDocument,
    NewClientsDocument,
    RateDocument,
    StrikeDocument,
    VictimDocument,
)
from harness.document.shard import ShardDocument
from harness.scenario.live.evidence import LiveEvidence
from harness.scenario.live.series import make_series
from harness.scenario.live.steps import step_documents
from harness.traffic.history import Operation
from harness.traffic.rate import BorneRate
from harness.traffic.victims import Victim

SHOWN = 200  # victims that the document lists, the longest waits first
WITHOUT = "the subject's traffic has no `after`: it does not say what new clients do"


@dataclass(frozen=True)
class RunResult:
    """What was recorded, and what it comes to."""

    evidence: LiveEvidence
    findings: Sequence[Finding]
    unknowns: Sequence[str]
    verdict: Word
    borne: BorneRate
    history: Path
    elle: Path
    at_work: int
    rounds: int
    postgres: int
    provider: str
    seconds: float


def write_document(result: RunResult) -> LiveDocument:
    """The whole of it."""
    evidence, borne = result.evidence, result.borne.factor
    checked, settings, mix = evidence.history, evidence.settings, evidence.mix
    asked = settings.reads + settings.writes
    return LiveDocument(
        verdict=result.verdict,
        history=HistoryDocument(
            verdict=checked.verdict, file=str(result.history), elle=str(result.elle),
            counts={**checked.counts, "at_work": result.at_work}, tables=sorted(mix.census),
        ),
        victims=_victims(evidence.witnesses.victims),
        latency=evidence.latency,
        findings=result.findings,
        unknowns=result.unknowns,
        steps=step_documents(evidence),
        kills=[
            StrikeDocument(
                round=kill.round, direction=kill.direction, step=kill.step, victim=kill.victim,
                fired=kill.fired,
            )
            for kill in evidence.course.kills
        ],
        rate=RateDocument(
            asked=asked, borne=None if borne is None else asked * borne, tried=result.borne.tried
        ),
        role=mix.role, promised=mix.promised, rounds=result.rounds, rows=settings.rows,
        seed=settings.seed, max_wait_ms=1000 * settings.bound_of_plan,
        plan=LivePlanDocument(
            name=settings.plan.name, version=settings.plan.version, hash=settings.plan.hash
        ),
        server=f"Postgres {result.postgres} ({result.provider})", seconds=result.seconds,
        series=make_series(evidence.main, evidence.course.steps),
        shard=ShardDocument(index=settings.shard.index, of=settings.shard.of)
        if settings.shard else UNSET,
        postgres=result.postgres, tool_hash=tool_hash(),
        throughput=evidence.throughput,
        new_clients=_new_clients(evidence.new) if mix.after
        else NewClientsDocument(applicable=False, why=WITHOUT),
    )  # fmt: skip


def _new_clients(operations: Sequence[Operation]) -> NewClientsDocument:
    acknowledged = [one for one in operations if one.outcome == "acknowledged"]
    return NewClientsDocument(
        applicable=True, operations=len(operations), acknowledged=len(acknowledged),
        refused=sum(one.outcome == "refused" for one in operations),
        writes_acknowledged=sum(one.kind != "read" for one in acknowledged),
    )  # fmt: skip


def _victims(victims: Sequence[Victim]) -> list[VictimDocument]:
    longest = sorted(victims, key=lambda victim: -victim.waited)[:SHOWN]
    return [
        VictimDocument(
            direction=victim.direction, step=victim.step, client=victim.client,
            operation=victim.operation, kind=victim.kind,
            waited_ms=round(1000 * victim.waited, 1),
            took_ms=None if victim.took is None else round(1000 * victim.took, 1),
            lock=victim.lock, blocker=victim.blocker, behind=victim.behind,
            by_runner=victim.by_runner, starved_ms=round(1000 * victim.starved, 1),
        )
        for victim in longest
    ]  # fmt: skip
