"""Run a migration and its way back under traffic, on a server of its own, and judge it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.check.history import check_history
from harness.check.history.elle import write_elle
from harness.core.errors import Refused, UsageError
from harness.core.extras import require_extra
from harness.core.tree_hash import tool_hash
from harness.crash.setup import Setup
from harness.database import admin
from harness.document.live import (
    UNSET,
    HistoryDocument,
    LatenciesDocument,
    LiveDocument,
    LivePlanDocument,
    RateDocument,
    StrikeDocument,
    VictimDocument,
)
from harness.document.shard import ShardDocument
from harness.scenario.live.course import Conductor, plan_kills
from harness.scenario.live.judge import (
    LiveEvidence,
    compare_latencies,
    judge_live,
    step_documents,
    word_of,
)
from harness.scenario.live.mix import mix_of
from harness.scenario.live.series import make_series
from harness.scenario.live.settings import LiveSettings
from harness.server import Server
from harness.subject.choice import subject_of
from harness.traffic.history import AnyRecord, Census, History, InvariantCount, write_history
from harness.traffic.latency import Latency, measure_latency
from harness.traffic.mix import TrafficMix
from harness.traffic.rate import BorneRate, ease_rate, find_rate
from harness.traffic.server_log import let_log_waits, parse_log
from harness.traffic.victims import Victim, find_victims
from harness.traffic.workload import (
    WorkloadSettings,
    count_invariants,
    known_keys,
    operations_of,
    sessions_of,
    take_census,
    workload,
)

SHOWN = 200  # victims that the document lists, the longest waits first
RELATIONS = "SELECT c.oid::text, c.oid::regclass::text FROM pg_catalog.pg_class c"
SETTLE = 0.3  # seconds of traffic before the first run and after the last
Tell = Callable[[str], None]


@dataclass
class _Record:
    """What is recorded on the way."""

    epoch: float
    records: list[AnyRecord] = field(default_factory=list)
    censuses: list[Census] = field(default_factory=list)
    invariants: list[InvariantCount] = field(default_factory=list)
    first: int = 1


def run_live(settings: LiveSettings, tell: Tell = lambda _line: None) -> LiveDocument:
    """The whole of it; what was recorded is below `settings.build`.

    Raises InfrastructureError without the extra or a server, Refused where no table can be used.
    """
    if not settings.counts_only:
        require_extra("live", "harness live")
    begun = time.monotonic()
    setup = Setup(
        subject_of(settings.plan), settings.rows, settings.seed,
        provider=settings.server, version=settings.pg_version,
    )  # fmt: skip
    with _own_server(setup) as server, tempfile.TemporaryDirectory(prefix="harness-live-") as place:
        tell(f"Postgres {server.version} ({server.provider}), {settings.rows} rows")
        dsn = setup.furnish(server.dsn(), admin.unique_name("harness_live"))
        live = _Live(settings, server, admin.dbname(dsn), Path(place), tell)
        return live.document(begun)


@contextmanager
def _own_server(setup: Setup) -> Iterator[Server]:
    server = setup.server("durable")
    try:
        with admin.connection(server.dsn()) as conn:
            let_log_waits(conn)
        yield server
    finally:
        server.close()


@dataclass
class _Live:
    """One run of the whole, on a server that is furnished."""

    settings: LiveSettings
    server: Server
    database: str
    place: Path
    tell: Tell

    def __post_init__(self) -> None:
        self.record = _Record(time.time() - time.monotonic())
        self.rounds = 0

    def dsn(self) -> str:
        return self.server.dsn(self.database)

    def document(self, begun: float) -> LiveDocument:
        self.mix = self._mix()
        self._look("before")
        self.keys = known_keys(self.record.censuses)
        asked = WorkloadSettings(
            self.settings.reads, self.settings.writes, self.settings.word, delay=self.settings.delay
        )
        borne = self._borne(asked)
        control = operations_of(self.record.records)
        conductor = self._conductor(asked.rate * (borne.factor or 0.0))
        if borne.factor is not None:
            self._rounds(conductor, asked.scaled(borne.factor))
        self._look("end")
        return self._judged(conductor, borne, len(control), begun)

    def _mix(self) -> TrafficMix:
        with admin.connection(self.dsn()) as conn:
            mix = mix_of(conn, self.settings.plan)
            self.relations = {str(oid): str(name) for oid, name in conn.execute(RELATIONS)}
        if not mix.writes:
            raise Refused(
                "no table can be written by the workload: none has rows, a key of one column and a"
                " free text column",
                hint="give a mix: traffic in the particulars of subject.object",
            )
        return mix

    def _look(self, moment: str) -> None:
        """Read all tables of the mix whole, and ask its rules."""
        with admin.connection(self.dsn()) as conn:
            found, failed = take_census(conn, self.mix, moment)
            self.record.invariants += count_invariants(conn, self.mix, moment)
        self.record.censuses += found
        for table, why in failed.items():
            if moment == "before":
                raise UsageError(
                    f"the census of {table} cannot be read: {why}",
                    where=str(self.settings.plan.path),
                    hint="correct the query in the project's traffic",
                )
            self.tell(f"{moment}: {table} cannot be read whole: {why}")

    def _borne(self, asked: WorkloadSettings) -> BorneRate:
        """The rate at which the clients work from now on."""

        def measure(factor: float) -> Latency:
            return self._control(asked.scaled(factor))

        if self.settings.counts_only:
            return ease_rate(asked.rate, measure)
        return find_rate(asked.rate, measure, self.settings.late)

    def _measured(self, *spans: tuple[float, float]) -> Latency:
        operations = operations_of(self.record.records)
        return measure_latency(operations, *spans, histogram=not self.settings.counts_only)

    def _control(self, settings: WorkloadSettings) -> Latency:
        """The workload without a migration, at a rate."""
        self.tell(f"control at {settings.rate:g} operations a second")
        with self._working(settings) as (begin, end):
            time.sleep(max(0.0, end - time.monotonic()))
        # what clients need to get going is no part of what the machine bears
        return self._measured((begin + SETTLE, end))

    @contextmanager
    def _working(self, settings: WorkloadSettings) -> Iterator[tuple[float, float]]:
        first, self.record.first = self.record.first, self.record.first + 100
        with workload(
            self.dsn(), self.mix, self.keys, settings, self.place, first=first
        ) as clients:
            begin = time.monotonic()
            yield begin, begin + SETTLE + self.settings.control
            self.record.records += clients.stop()

    def _conductor(self, rate: float) -> Conductor:
        pause = self.settings.pause(rate) if rate else 0.0
        return Conductor(self.settings.measured, self.server, self.dsn, pause, self.tell)

    def _rounds(self, conductor: Conductor, settings: WorkloadSettings) -> None:
        """Forward and back, again and again, with the same clients all the time."""
        number = 0
        while True:
            number += 1
            with self._working(settings):
                time.sleep(SETTLE)
                went = self._round(conductor, number)
                time.sleep(SETTLE)
            self.rounds = number
            if not went or self._acknowledged(conductor) >= self._wanted():
                return

    def _round(self, conductor: Conductor, number: int) -> bool:
        server = self.settings.server_kills
        forward, back = plan_kills(self.settings.plan, number, server=server)
        if not conductor.run("forward", forward):
            return False
        self._look("forward")
        return conductor.run("rollback", back)

    def _wanted(self) -> int:
        shares = self.settings.shard.of if self.settings.shard else 1
        return -(-self.settings.acknowledged // shares)

    def _acknowledged(self, conductor: Conductor) -> int:
        """The writes that were acknowledged while a run was at work."""
        spans = [(run.begun, run.ended) for run in conductor.course.runs]
        found = sum(
            one.kind != "read"
            and one.outcome == "acknowledged"
            and any(begun <= one.sent < ended for begun, ended in spans)
            for one in operations_of(self.record.records)
        )
        if self.settings.acknowledged:
            self.tell(f"{found:,} of {self._wanted():,} writes were acknowledged")
        return found

    def _judged(
        self, conductor: Conductor, borne: BorneRate, control: int, begun: float
    ) -> LiveDocument:
        operations = operations_of(self.record.records)
        history = History(
            operations, self.record.censuses, self.record.invariants,
            sessions_of(self.record.records), conductor.course.steps, self.record.epoch,
        )  # fmt: skip
        path, elle = self._written(history)
        evidence = LiveEvidence(
            self.settings, self.mix, check_history(history),
            find_victims(history, parse_log(self.server.log()), self.relations), conductor.course,
            operations[:control], operations[control:], self._latencies(conductor, borne.control),
        )  # fmt: skip
        findings, unknowns = judge_live(evidence)
        if borne.why:
            unknowns = [borne.why]
        checked, settings = evidence.history, self.settings
        return LiveDocument(
            verdict=word_of(findings, unknowns),
            history=HistoryDocument(
                verdict=checked.verdict, file=str(path), elle=str(elle),
                counts={**checked.counts, "at_work": self._acknowledged(conductor)},
                tables=sorted(self.mix.census),
            ),
            victims=_victims(evidence.witnesses.victims),
            latency=evidence.latency,
            findings=findings,
            unknowns=unknowns,
            steps=step_documents(evidence),
            kills=[
                StrikeDocument(
                    round=kill.round, direction=kill.direction, step=kill.step,
                    victim=kill.victim, fired=kill.fired,
                )
                for kill in conductor.course.kills
            ],
            rate=RateDocument(
                asked=settings.reads + settings.writes,
                borne=None if borne.factor is None
                else (settings.reads + settings.writes) * borne.factor,
                tried=borne.tried,
            ),
            role=self.mix.role, promised=self.mix.promised, rounds=self.rounds,
            rows=settings.rows, seed=settings.seed, max_wait_ms=1000 * settings.bound_of_plan,
            plan=LivePlanDocument(
                name=settings.plan.name, version=settings.plan.version, hash=settings.plan.hash
            ),
            server=f"Postgres {self.server.version} ({self.server.provider})",
            seconds=round(time.monotonic() - begun, 1),
            series=make_series(operations[control:], conductor.course.steps),
            shard=ShardDocument(index=settings.shard.index, of=settings.shard.of)
            if settings.shard else UNSET,
            postgres=self.server.version, tool_hash=tool_hash(),
        )  # fmt: skip

    def _written(self, history: History) -> tuple[Path, Path]:
        folder = self.settings.build / "live"
        folder.mkdir(parents=True, exist_ok=True)
        path, elle = folder / "history.jsonl", folder / "elle.json"
        write_history(path, history)
        write_elle(elle, history)
        return path, elle

    def _latencies(self, conductor: Conductor, control: Latency) -> LatenciesDocument:
        spans: dict[str, list[tuple[float, float]]] = {}
        for run in conductor.course.runs:
            spans.setdefault(run.direction, []).append((run.begun, run.ended))
        for step in conductor.course.steps:
            if step.kind == "batch":
                spans.setdefault("batches", []).append((step.begun, step.done))
        found = {name: self._measured(*mine) for name, mine in spans.items()}
        return compare_latencies(control, found, self.settings.late)


def _victims(victims: Sequence[Victim]) -> list[VictimDocument]:
    longest = sorted(victims, key=lambda victim: -victim.waited)[:SHOWN]
    return [
        VictimDocument(
            direction=victim.direction, step=victim.step, client=victim.client,
            operation=victim.operation, kind=victim.kind,
            waited_ms=round(1000 * victim.waited, 1),
            took_ms=None if victim.took is None else round(1000 * victim.took, 1),
            lock=victim.lock, blocker=victim.blocker, behind=victim.behind,
            by_runner=victim.by_runner,
        )
        for victim in longest
    ]  # fmt: skip
