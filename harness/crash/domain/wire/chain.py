"""The chain of kills: what is known of the states at its commits, and where it first goes wrong.

That a state can be gone on from is proven by the chain itself, if it ends where it should. When it
does not, it is walked again, to where it turns bad: that state is the failure. What was led through
it is not proven, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from harness.core.errors import HarnessError
from harness.crash.domain.wire.commits import Astray, CommitLead
from harness.crash.domain.wire.span import ACKED, Span
from harness.crash.model import CoverageRow, Point, Verdict
from harness.crash.setup import Setup
from harness.crash.state import Oracle, StateVerdict
from harness.crash.templates import Templates

ASTRAY = "astray"  # the state of a chain whose next run made other commits, or none


@dataclass
class Chain:
    """The states at the commits of a stretch, by name: two segments share one."""

    ground: Setup
    place: Templates
    stretch: Span
    oracle: Oracle
    judged: dict[str, StateVerdict] = field(default_factory=dict)

    def name(self, number: int) -> str:
        """What the state behind so many commits is called."""
        return f"{self.stretch.mark}commit {number}"

    def judge(self, name: str, dsn: str) -> StateVerdict:
        """A state at a commit: the cursor goes on from it; that it goes back is proven here."""
        if name not in self.judged:
            try:
                reasons = self._beyond(dsn)
            except (TimeoutError, HarnessError) as error:
                self.judged[name] = StateVerdict("unknown", name, str(error))
            else:
                verdict: Verdict = "fail" if reasons else "pass"
                self.judged[name] = StateVerdict(verdict, name, "; ".join(reasons))
        return self.judged[name]

    def _beyond(self, dsn: str) -> list[str]:
        """Why a state is bad otherwise than by what follows it in the chain."""
        if self.stretch.direction == "forward":
            return self.oracle.goes_back(dsn)
        return self.oracle.stays(dsn) if self.stretch.direction == "cleanup" else []

    def told(self, row: CoverageRow) -> CoverageRow:
        """A kill behind a commit: what was done with the state it left, and what was not."""
        if row.point.fault != ACKED:
            return row
        evidence = f"{row.evidence}; resumed to the end"
        if self.stretch.direction == "rollback":
            return replace(row, evidence=evidence)
        known = self.judged.get(row.state)
        if known is None:
            return replace(row, evidence=f"{evidence}; not rolled back here")
        evidence += "; rolled back from there"
        return replace(row, verdict=known.verdict, reason=known.reason, evidence=evidence)

    def gone_wrong(
        self, rows: list[CoverageRow], points: Mapping[Point, int], reached: int, end: StateVerdict
    ) -> list[CoverageRow]:
        """A row for each of `points`, by the number of its segment; `rows` are those there are.

        `reached` is the last commit that the chain came to, `end` what is wrong there. What is only
        suspect, because the chain came through a bad state to it, is unknown.
        """
        told = {row.point for row in rows}
        left = sorted(point for point in points if point not in told)
        self.judged[self.name(reached)] = replace(end, state=self.name(reached))
        try:
            bad = self._first_bad(reached, end)
        except Astray as again:
            reason = f"the chain of kills that leads here goes astray: {end.reason}; then {again}"
            return [_doubted(row, "fail", reason) for row in rows] + _unreached(left, reason)
        if bad is None:  # every state is good: it is the next run that errs
            return [*map(self.told, rows), *_unreached(left, end.reason)]
        since = self.stretch.commits[bad].id if bad in self.stretch.commits else self.name(bad)
        reason = f"the chain of kills is wrong since {since}: {self.judged[self.name(bad)].reason}"
        found = [self._blamed(row, points[row.point], bad, reason) for row in rows]
        found += _unreached(left, reason)
        if all(row.verdict != "fail" for row in found):
            return self._shown(found, points, bad, reason)
        return found

    def _shown(
        self, found: list[CoverageRow], points: Mapping[Point, int], bad: int, reason: str
    ) -> list[CoverageRow]:
        """Where the point that would fail is not asked for: one fails whose replay comes by it."""
        suspect = [row for row in found if row.verdict == "unknown"]
        near = [row for row in suspect if self.stretch.led_from(points[row.point]) < bad]
        one = near[0] if near else None if suspect else found[-1]
        return [replace(r, verdict="fail", reason=reason) if r is one else r for r in found]

    def _first_bad(self, reached: int, end: StateVerdict) -> int | None:
        """The commit at which the chain turns bad; None when the last that it reached is good.

        It is good, by itself, one commit before. That one proves those before it, as the end of a
        chain does; so half of what is left is passed over each time.
        """
        good, bad = self.stretch.segments[0].number - 1, reached
        if end.state == ASTRAY and (reached <= good or self._again(reached).verdict == "pass"):
            return None
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if self._again(middle).verdict == "pass" else (good, middle)
        return bad

    def _again(self, number: int) -> StateVerdict:
        """Lead the chain to a commit once more, and judge the state there for itself."""
        first = self.stretch.segments[0].number
        with CommitLead.started(self.ground, self.place, self.stretch.direction) as lead:
            lead.go_to(first)
            for segment in self.stretch.segments[: number - first]:
                lead.advance(segment)
            found = self.oracle.judge(self.stretch.direction, lead.dsn)
        name = self.name(number)
        self.judged[name] = replace(found, state=name)
        return found

    def _blamed(self, row: CoverageRow, number: int, bad: int, reason: str) -> CoverageRow:
        """A row of a chain with a bad state: it left that one, or came from there, or neither."""
        if row.verdict == "fail":
            return row
        if number >= bad:
            return _doubted(row, "unknown", f"not proven: {reason}")
        if row.state == self.name(bad):
            judged = self.judged[row.state]
            return _doubted(row, judged.verdict, judged.reason)
        return self.told(row)


def _doubted(row: CoverageRow, verdict: Verdict, reason: str) -> CoverageRow:
    """A row that is no pass any more, its own reason kept."""
    reasons = [row.reason, reason] if row.verdict != "pass" and row.reason else [reason]
    return replace(row, verdict=verdict, reason="; ".join(reasons))


def _unreached(points: Iterable[Point], reason: str) -> list[CoverageRow]:
    return [CoverageRow(point, False, "fail", reason=f"not reached: {reason}") for point in points]
