"""Strike at every point of a stretch of the run, and say what became of each state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from harness.core.errors import HarnessError, Refused
from harness.core.exit_status import ExitStatus
from harness.crash.domain.wire.chain import ASTRAY, Chain
from harness.crash.domain.wire.commits import Astray, CommitLead
from harness.crash.domain.wire.faults import (
    FAULTS,
    RACERS,
    WATCHFUL,
    Fault,
    WireScene,
    logs_in,
    race,
    strike,
)
from harness.crash.domain.wire.golden import Segment, WireMessage
from harness.crash.domain.wire.span import ACKED, CLOSING, RACE, RESUME, Span, points_of
from harness.crash.domain.wire.struck_clone import StruckClone
from harness.crash.model import CoverageRow, Point
from harness.crash.run.outcome import NOT_FIRED, FaultOutcome
from harness.crash.setup import Setup
from harness.crash.state import Oracle, StateVerdict, identify
from harness.crash.tally import point_done
from harness.crash.templates import Templates

Numbers = dict[tuple[str, str], tuple[int, WireMessage]]


@dataclass
class GoldenClone:
    """A clone from which an undisturbed runner sends the golden run's messages.

    Usually it stands right before a segment. Behind a commit that a resuming runner examines, such
    as a finished index, it sends other messages than the golden run; then the base stays, and the
    segments between are run again: `offset` counts their messages.
    """

    dsn: str
    prefix: int
    offset: int = 0


class Sweep:
    """Leads a cursor along a stretch; at each segment strikes at its points on clones.

    `keys` are those of the states at commits, by name: two segments share one.
    """

    def __init__(self, ground: Setup, place: Templates, stretch: Span) -> None:
        self.ground, self.place, self.stretch = ground, place, stretch
        self.oracle = Oracle(ground, place.server_dsn)
        self.chain = Chain(ground, place, stretch, self.oracle)
        self._base: GoldenClone | None = None
        self.keys: dict[str, str] = {}

    def rows(self, points: Iterable[Point]) -> list[CoverageRow]:
        """One row for each point."""
        wanted = set(points)
        chosen = [
            [p for p in points_of(self.stretch, segment) if p in wanted]
            for segment in self.stretch.segments
        ]
        rows: list[CoverageRow] = []
        with CommitLead.started(self.ground, self.place, self.stretch.direction) as lead:
            try:
                lead.go_to(self.stretch.segments[0].number)
                for number, segment in enumerate(self.stretch.segments):
                    struck_soon = any(
                        _is_struck(p) for some in chosen[number : number + 2] for p in some
                    )
                    rows += self._segment(lead, segment, chosen[number], struck_soon)
                    self._roll_back(lead, chosen[number])
                end = self.oracle.judge(self.stretch.direction, lead.dsn)
            except Astray as astray:
                end = StateVerdict("fail", ASTRAY, str(astray))
            finally:
                self._rest_on(None)
        if end.verdict != "pass":
            numbers = {
                point: segment.number
                for segment, points in zip(self.stretch.segments, chosen, strict=True)
                for point in points
            }
            return self.chain.gone_wrong(rows, numbers, lead.at, end)
        self.chain.judged[self.chain.name(lead.at)] = end
        return [self.chain.told(row) for row in rows]

    def _roll_back(self, lead: CommitLead, points: list[Point]) -> None:
        """Roll a copy of the state back, where that is asked for and was not done yet."""
        if lead.at in self.stretch.back and any(point.fault == ACKED for point in points):
            self.chain.judge(self.chain.name(lead.at), lead.dsn)

    def _segment(
        self, lead: CommitLead, segment: Segment, points: list[Point], needs_clone: bool
    ) -> list[CoverageRow]:
        """Clone the state before the segment, let the lead go on, strike at the clone."""
        before = lead.cursor.clone() if needs_clone else None
        began = time.monotonic()
        sent = lead.advance(segment)
        seconds = time.monotonic() - began
        behind = self.chain.name(segment.number + 1)
        rows = [_acked(p, behind, seconds) for p in points if not _is_struck(p)]
        if before is None:
            return rows
        differs = sent.differs(segment)
        if not differs:
            self._rest_on(GoldenClone(before, len(sent.prefix)))
        struck = [point for point in points if _is_struck(point)]
        number = segment.number
        try:
            if self._base is None:
                return rows + [CoverageRow(p, False, "unknown", reason=differs) for p in struck]
            if struck:
                known = self._numbers(segment)
                ends = {self.chain.name(number): before, behind: lead.dsn}
                with Segmental(self, number, self._base.dsn, ends, known) as it:
                    rows += [it.row(point) for point in sorted(struck, key=_order)]
            self._base.offset += len(segment.beats)
            return rows
        finally:
            if differs:
                self.place.drop(before)

    def _rest_on(self, base: GoldenClone | None) -> None:
        if self._base is not None:
            self.place.drop(self._base.dsn)
        self._base = base

    def _numbers(self, segment: Segment) -> Numbers:
        """The number that each message has in a run from the base."""
        assert self._base is not None
        found: Numbers = {}
        for place, beat in enumerate(self.stretch.resumed.get(segment.number, ()), 1):
            found[beat.step, beat.boundary] = (place, beat)
        first = 1 + self._base.prefix + self._base.offset
        for place, beat in enumerate((*segment.beats, self.stretch.beyond), first):
            found[beat.step, beat.boundary] = (place, beat)
        return found


def _is_struck(point: Point) -> bool:
    """Whether a point is struck on a clone; the others are the cursor's own deaths."""
    return point.fault != ACKED


def until_fired(strike: Callable[[], CoverageRow], tries: int) -> CoverageRow:
    """The row of the first strike that fired, or that left something wrong, else of the last."""
    for _ in range(tries - 1):
        row = strike()
        if row.fired or row.reason != NOT_FIRED:
            return row
    return strike()


def _tries(point: Point) -> int:
    # a runner that is to see a stall within 0.25 s takes a slow answer of a busy machine for one,
    # connects again, and its messages have other numbers: nothing was struck, and nothing proven
    fault = FAULTS.get(point.fault)
    return 3 if fault is not None and fault.settings is WATCHFUL else 1


def _spoils(point: Point) -> bool:
    """Points that always use up their clone come last, so that the others share one."""
    return point.fault not in FAULTS or FAULTS[point.fault].spoils


def _order(point: Point) -> tuple[bool, bool]:
    return _spoils(point), point.step != RESUME


def _acked(point: Point, state: str, seconds: float) -> CoverageRow:
    evidence = "killed when it had heard of the commit"
    point_done()
    return CoverageRow(point, True, "pass", state, "", evidence, seconds)


class Segmental:
    """Strikes in a segment at clones of `base`; `ends` are the states at its two ends, by name."""

    def __init__(
        self, sweep: Sweep, number: int, base: str, ends: dict[str, str], known: Numbers
    ) -> None:
        self._number = number
        self._ground, self._place, self._stretch = sweep.ground, sweep.place, sweep.stretch
        self._oracle = sweep.oracle
        self._base, self._ends, self._numbers = base, ends, known
        self._before = next(iter(ends.values()))
        self._source = ""
        self._keys, self._chain = sweep.keys, sweep.chain
        self._victim: StruckClone | None = None

    def __enter__(self) -> Segmental:
        return self

    def __exit__(self, *_: object) -> None:
        self._spoil()

    def _found(self, key: str) -> StateVerdict | None:
        """The judgement of a state, when it is one of those at the two ends."""
        for name, dsn in self._ends.items():
            if name not in self._keys:
                self._keys[name] = identify(self._ground, dsn).key
            if self._keys[name] == key:
                return self._chain.judge(name, dsn)
        return None

    def row(self, point: Point) -> CoverageRow:
        """Strike at a point; what cannot be judged is unknown."""
        began = time.monotonic()
        try:
            row = until_fired(lambda: self._strike(point), tries=_tries(point))
        except (TimeoutError, HarnessError) as error:
            self._spoil()
            row = CoverageRow(point, False, "unknown", reason=str(error))
        point_done()
        return replace(row, seconds=time.monotonic() - began)

    def _strike(self, point: Point) -> CoverageRow:
        number, beat = self._numbers[point.step, point.boundary]
        source = self._before if point.step == RESUME else self._base
        victim = self._clone(source, reused=source == self._before and not _spoils(point))
        scene = WireScene(
            self._ground, point.direction, victim.dsn, number, beat, victim.descriptors
        )
        struck = self._struck(scene, point.fault)
        judged = self._judge(victim, spoiled=_spoils(point))
        wrong = self._wrong_ending(point, beat, struck)
        if not struck.fired:  # how a runner ended that met nothing says nothing
            wrong, told = "", judged.reason if judged.verdict != "pass" else ""
        else:
            told = judged.reason
        reasons = tuple(text for text in (wrong, told) if text)
        verdict = "fail" if wrong else judged.verdict
        return replace(struck, reasons=reasons, state=judged.state, judged=verdict).row(point)

    def _clone(self, source: str, *, reused: bool) -> StruckClone:
        """A clone of `source`: the last one, if nothing in it has changed."""
        if source != self._source:
            self._spoil()
        if self._victim is None:
            self._victim, self._source = (
                StruckClone(self._ground, self._place, source, reused=reused),
                source,
            )
        return self._victim

    def _struck(self, scene: WireScene, fault: str) -> FaultOutcome:
        if fault == RACE:
            return race(scene)
        if fault != CLOSING:
            return strike(scene, fault)
        struck = strike(scene, "cut")  # one message further than there are: it must not fire
        evidence = f"message {scene.number} was never sent"
        return replace(struck, fired=not struck.fired, evidence=evidence)

    def _judge(self, victim: StruckClone, spoiled: bool) -> StateVerdict:
        """What the state after the strike comes to: one of the two known, or a new one."""
        if not spoiled and self._source == self._before and victim.unchanged():
            return self._chain.judge(*next(iter(self._ends.items())))
        victim.leave()
        try:
            found = identify(self._ground, victim.dsn)
            known = self._found(found.key)
            return known or self._oracle.judge(self._stretch.direction, victim.dsn, found)
        except Refused as refusal:
            return StateVerdict("fail", "unreadable", str(refusal))
        finally:
            self._spoil()

    def _spoil(self) -> None:
        if self._victim is not None:
            self._victim.drop()
            self._victim = None

    def _wrong_ending(self, point: Point, beat: WireMessage, struck: FaultOutcome) -> str:
        """What is wrong with how the runners ended; empty when nothing is."""
        if point.fault == CLOSING:
            ended = struck.endings[0]
            return "" if ended.done else f"the runner ended with {ended.status}"
        if point.fault == RACE:
            *racers, latecomer = (ending.status for ending in struck.endings)
            if latecomer != 4:
                return f"a runner that came while another was at work ended with {latecomer}"
            wanted = [0] + [4] * (RACERS - 1)
            return "" if sorted(racers) == wanted else f"the runners ended with {sorted(racers)}"
        fault = FAULTS[point.fault]
        first, *rivals = struck.endings
        failed = [rival for rival in rivals if not rival.done]
        if failed:
            return f"the second runner ended with {failed[0].status}: {failed[0].error}"
        may_finish = first.done and self._may_finish(fault, beat)
        never_began = first.status == ExitStatus.INFRASTRUCTURE and logs_in(beat)
        if first.status in fault.endings or may_finish or never_began:
            return ""
        return f"the runner ended with {first.status}: {first.error or 'no message'}"

    def _may_finish(self, fault: Fault, beat: WireMessage) -> bool:
        """Whether a runner struck here may come to its end nevertheless: nothing was left to do."""
        if fault.name.startswith("sig") and self._number >= self._stretch.final:
            return True  # the request came when the last step was on its way: there is no next one
        if fault.name == "sigstop" and beat.step == RESUME:
            return True  # it had not claimed the run yet, and finds it finished by the other
        last = self._stretch.segments[-1]
        if last.number != self._stretch.last or beat.step == RESUME:
            return False
        behind = {(b.step, b.place) for b in last.beats[last.to_commit :]}
        return (beat.step, beat.place) in behind
