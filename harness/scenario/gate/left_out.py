"""Tests that were left out, whatever way: defined, collected, called and reported must agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from harness.core.finding import Finding
from harness.scenario.gate.attendance import Attendance
from harness.scenario.gate.census import Defined
from harness.scenario.gate.recorder import SuiteRecorder

HINT = "run every test that is there or delete it: what was left out proves nothing"
NAMED = 50  # tests that a run cut short did not come to


def left_out(there: Sequence[Defined], recorder: SuiteRecorder) -> list[Finding]:
    """A critical finding for every test that is there and was not run, called and reported."""
    seen = recorder.attendance
    told = dict(_never_collected(there, seen))
    told |= dict.fromkeys(seen.deselected, "was deselected")
    dropped = seen.found.keys() - seen.kept - seen.deselected
    told |= dict.fromkeys(dropped, "was collected, then dropped by a hook")
    told |= dict.fromkeys(_never_ended(seen, recorder), "was collected and never came to its end")
    uncalled = (seen.watched - seen.called) & recorder.passed
    told |= dict.fromkeys(uncalled, "is reported as passed, but its function was never called")
    for nodeid in seen.raised.keys() - recorder.failed - recorder.skipped:
        told[nodeid] = f"failed, and a hook took its failure back: {seen.raised[nodeid]}"
    return [
        _finding(nodeid, how, recorder.suite_of(nodeid)) for nodeid, how in sorted(told.items())
    ]


def uncounted(recorder: SuiteRecorder) -> list[str]:
    """A doubt when no process said which tests it saw: then nothing can be counted."""
    if recorder.done and not recorder.attendance.found:
        return ["which tests were collected was not told, so none can be counted"]
    return []


def _never_collected(there: Sequence[Defined], seen: Attendance) -> Iterator[tuple[str, str]]:
    names = {nodeid.partition("[")[0] for nodeid in seen.found}
    places = set(seen.found.values())
    namesakes = Counter(test.nodeid for test in there)
    begins = {(test.defined_in, test.line): test.nodeid for test in there}
    others = {
        name.partition("[")[0]
        for name, place in seen.found.items()
        if begins.get(place, name.partition("[")[0]) != name.partition("[")[0]
    }
    for test in there:
        by_place = (test.defined_in, test.line) in places
        by_name = test.nodeid in names - others and namesakes[test.nodeid] == 1
        if not by_place and not by_name:
            where = f"line {test.line} of {test.place}" if test.place else f"line {test.line}"
            yield f"{test.nodeid}", f"is defined in {where} and was never collected"


def _never_ended(seen: Attendance, recorder: SuiteRecorder) -> Iterable[str]:
    return sorted(seen.kept - recorder.ended - recorder.failed)[:NAMED]


def _finding(nodeid: str, how: str, suite: str) -> Finding:
    test = nodeid.split("::", 1)[-1]
    return Finding(
        id=f"left_out.{suite}.{test}",
        severity="critical",
        where=nodeid,
        message=f"the test {how}",
        hint=HINT,
    )
