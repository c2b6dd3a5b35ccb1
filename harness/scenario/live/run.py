"""Run a migration and its way back under traffic, on a server of its own, and judge it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from harness.check.history import check_history
from harness.check.history.elle import write_elle
from harness.core.errors import Refused, UsageError
from harness.core.extras import require_extra
from harness.crash.setup import Setup
from harness.database import admin
from harness.document.live import LatenciesDocument, LiveDocument
from harness.scenario.live.course import Conductor, HeldStep, TrafficCourse, plan_kills
from harness.scenario.live.evidence import LiveEvidence
from harness.scenario.live.judge import exceeds_bound, judge_live, word_of
from harness.scenario.live.mix import mix_of
from harness.scenario.live.record import CONTROL, MAIN, NEW, SATURATED, LiveRecord
from harness.scenario.live.settings import LOADED, LiveSettings
from harness.scenario.live.throughput import SaturatedCourse, compare_throughput
from harness.scenario.live.times import compare_latencies
from harness.scenario.live.writing import RunResult, write_document
from harness.server import Server
from harness.subject.choice import subject_of
from harness.traffic.history import write_history
from harness.traffic.latency import Latency, measure_latency
from harness.traffic.mix import TrafficMix
from harness.traffic.rate import BorneRate, ease_rate, find_rate
from harness.traffic.server_log import let_log_waits, parse_log
from harness.traffic.starvation import StarvationWitness
from harness.traffic.victims import Witnesses, find_victims
from harness.traffic.workload import (
    Workload,
    WorkloadSettings,
    count_invariants,
    known_keys,
    take_census,
    workload,
)

RELATIONS = "SELECT c.oid::text, c.oid::regclass::text FROM pg_catalog.pg_class c"
SETTLE = 0.3  # seconds of traffic before the first run and after the last
LONGEST = 60.0  # seconds of a control that is as long as the run
BUSY = b"""
DO $$
BEGIN
  LOOP
    FOR number IN 1..1000 LOOP
      PERFORM pg_catalog.md5(pg_catalog.repeat('x', 20000));
    END LOOP;
    PERFORM pg_catalog.pg_logical_emit_message(true, 'harness', pg_catalog.repeat('x', 400000));
    COMMIT;
  END LOOP;
END $$
"""  # some 10 MB of WAL a second
NEW_SHARE = 0.5  # of the rate of the old clients, for the new ones
Tell = Callable[[str], None]


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
        self.record = LiveRecord(time.time() - time.monotonic())
        self.starvation = StarvationWitness(lambda: self.server.pid)
        self.rounds = 0
        self.first = 1

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
        conductor = self._conductor(asked.rate * (borne.factor or 0.0))
        witnesses, saturated, unchased = Witnesses(), None, []
        if borne.factor is not None:
            working = asked.scaled(borne.factor)
            self._rounds(conductor, working)
            witnesses = self._witnesses(conductor.course, working)
            saturated = self._saturated(conductor, asked)
            unchased = self._unchased(conductor, saturated, working)
        self._look("end")
        return self._judged(
            self._evidence(conductor.course, borne, witnesses, saturated, unchased), borne, begun
        )

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
        operations = self.record.operations(CONTROL, MAIN)
        return measure_latency(operations, *spans, histogram=not self.settings.counts_only)

    def _control(self, settings: WorkloadSettings, seconds: float | None = None) -> Latency:
        """The workload without a migration, at a rate."""
        self.tell(f"control at {settings.rate:g} operations a second")
        with self._working(CONTROL, settings):
            begin = time.monotonic()
            end = begin + SETTLE + (self.settings.control if seconds is None else seconds)
            time.sleep(max(0.0, end - time.monotonic()))
        # what clients need to get going is no part of what the machine bears
        return self._measured((begin + SETTLE, end))

    @contextmanager
    def _working(
        self, part: str, settings: WorkloadSettings, mix: TrafficMix | None = None
    ) -> Iterator[Workload]:
        first, self.first = self.first, self.first + 100
        with workload(
            self.dsn(), mix or self.mix, self.keys, settings, self.place, first=first
        ) as clients:
            yield clients
            self.record.add(part, clients.stop())

    def _conductor(self, rate: float) -> Conductor:
        pause = self.settings.pause(rate) if rate else 0.0
        return Conductor(
            self.settings.measured, self.server, self.dsn, pause, self.tell,
            patience=self.settings.patience, look=self.starvation.look,
        )  # fmt: skip

    def _rounds(self, conductor: Conductor, settings: WorkloadSettings) -> None:
        """Forward and back, again and again, with the same clients all the time."""
        number = 0
        while True:
            number += 1
            with self._working(MAIN, settings) as clients:
                conductor.hold = clients.hold_inserts
                time.sleep(SETTLE)
                went = self._round(conductor, number, settings)
                time.sleep(SETTLE)
            self.rounds = number
            if not went or self._acknowledged(conductor.course) >= self._wanted():
                return

    def _round(self, conductor: Conductor, number: int, settings: WorkloadSettings) -> bool:
        server = self.settings.server_kills
        forward, back = plan_kills(self.settings.plan, number, server=server)
        if not conductor.run("forward", forward):
            return False
        self._look("forward")
        with self._new_clients(settings):
            return conductor.run("rollback", back)

    @contextmanager
    def _new_clients(self, settings: WorkloadSettings) -> Iterator[None]:
        """New clients beside the old ones, from the way forward on; they see the way back begin."""
        if not self.mix.after:
            yield
            return
        fewer = replace(settings.scaled(NEW_SHARE), processes=1)
        with self._working(NEW, fewer, self.mix.of_new_clients):
            time.sleep(max(SETTLE, 2 * LOADED / fewer.rate))
            yield

    def _saturated(self, conductor: Conductor, asked: WorkloadSettings) -> SaturatedCourse | None:
        """A round more, with clients that send as soon as they are answered; None: not asked."""
        seconds = self.settings.saturation
        if not seconds or conductor.course.failed:
            return None
        self.tell("at saturation: each client sends as soon as it has its answer")
        again = self._conductor(inf)
        again.pause = 0.0
        with self._working(SATURATED, replace(asked, closed=True)) as clients:
            again.hold = clients.hold_inserts
            before = _rested(seconds)
            with busy_session(self.dsn()):
                beside = _rested(seconds)
            if again.run("forward", None):
                again.run("rollback", None)
            return SaturatedCourse(before, beside, _rested(seconds), again.course)

    def _unchased(
        self,
        conductor: Conductor,
        saturated: SaturatedCourse | None,
        settings: WorkloadSettings,
    ) -> list[HeldStep]:
        """Steps that may chase inserts, run once more without any from their beginning."""
        courses = [conductor.course, *([saturated.course] if saturated else [])]
        suspects = {
            (one.direction, one.step) for course in courses for one in course.held if one.chased
        }
        if not suspects or any(course.failed for course in courses):
            return []
        self.tell("control: the steps that inserts may have kept at work, without inserts")
        again = self._conductor(inf)
        again.pause, again.patience, again.without_inserts = 0.0, inf, frozenset(suspects)
        with self._working(SATURATED, settings) as clients:
            again.hold = clients.hold_inserts
            if again.run("forward", None):
                again.run("rollback", None)
        return again.course.held

    def _wanted(self) -> int:
        shares = self.settings.shard.of if self.settings.shard else 1
        return -(-self.settings.acknowledged // shares)

    def _acknowledged(self, course: TrafficCourse) -> int:
        """The writes that were acknowledged while a run was at work."""
        spans = [(run.begun, run.ended) for run in course.runs]
        found = sum(
            one.kind != "read"
            and one.outcome == "acknowledged"
            and any(begun <= one.sent < ended for begun, ended in spans)
            for one in self.record.operations(MAIN)
        )
        if self.settings.acknowledged:
            self.tell(f"{found:,} of {self._wanted():,} writes were acknowledged")
        return found

    def _witnesses(self, course: TrafficCourse, settings: WorkloadSettings) -> Witnesses:
        """Who waited; with a control as long as the run where somebody waited too long."""
        main = self.record.history(course.steps, MAIN, NEW)
        log = parse_log(self.server.log())
        witnesses = find_victims(main, log, self.relations, self.starvation.starved)
        if exceeds_bound(self.settings, witnesses):
            spent = sum(run.ended - run.begun for run in course.runs)
            self._control(settings, min(LONGEST, spent))
        return witnesses

    def _evidence(
        self,
        course: TrafficCourse,
        borne: BorneRate,
        witnesses: Witnesses,
        saturated: SaturatedCourse | None,
        unchased: list[HeldStep],
    ) -> LiveEvidence:
        held = [*course.held, *(saturated.course.held if saturated else [])]
        return LiveEvidence(
            self.settings, self.mix, check_history(self.record.history(course.steps)), witnesses,
            course, self.record.operations(CONTROL), self.record.operations(MAIN),
            self._latencies(course, borne.control), new=self.record.operations(NEW),
            throughput=compare_throughput(self.record.operations(SATURATED), saturated)
            if saturated else None,
            held=held, unchased=unchased,
        )  # fmt: skip

    def _judged(self, evidence: LiveEvidence, borne: BorneRate, begun: float) -> LiveDocument:
        findings, unknowns = judge_live(evidence)
        if borne.why:
            unknowns = [borne.why]
        path, elle = self._written(evidence)
        result = RunResult(
            evidence, findings, unknowns, word_of(findings, unknowns), borne, path, elle,
            self._acknowledged(evidence.course), self.rounds,
            self.server.version, self.server.provider,
            round(time.monotonic() - begun, 1),
        )  # fmt: skip
        return write_document(result)

    def _written(self, evidence: LiveEvidence) -> tuple[Path, Path]:
        steps = evidence.course.steps
        folder = self.settings.build / "live"
        folder.mkdir(parents=True, exist_ok=True)
        path, elle = folder / "history.jsonl", folder / "elle.json"
        write_history(path, self.record.history(steps))
        # without the last part, which is long and asks another question
        write_elle(elle, self.record.history(steps, CONTROL, MAIN, NEW))
        return path, elle

    def _latencies(self, course: TrafficCourse, control: Latency) -> LatenciesDocument:
        spans: dict[str, list[tuple[float, float]]] = {}
        for run in course.runs:
            spans.setdefault(run.direction, []).append((run.begun, run.ended))
        for step in course.steps:
            if step.kind == "batch":
                spans.setdefault("batches", []).append((step.begun, step.done))
        found = {name: self._measured(*mine) for name, mine in spans.items()}
        return compare_latencies(control, found, self.settings.late)


@contextmanager
def busy_session(dsn: str) -> Iterator[None]:
    """A session that computes and commits, as any backfill does, and touches no table."""
    with admin.connection(dsn) as conn:
        conn.pgconn.send_query(BUSY)
        conn.pgconn.flush()
        try:
            yield
        finally:
            conn.pgconn.get_cancel().cancel()
            while conn.pgconn.get_result() is not None:
                pass


def _rested(seconds: float) -> tuple[float, float]:
    """A span of time in which nothing is done here."""
    begin = time.monotonic() + SETTLE
    time.sleep(SETTLE + seconds)
    return begin, begin + seconds
