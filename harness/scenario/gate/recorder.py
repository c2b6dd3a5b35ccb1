"""Turns the lines of the relay into suites and findings, and tells of progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from harness.core.finding import Finding
from harness.report.verdict import Suite
from harness.scenario.gate.attendance import Attendance
from harness.scenario.gate.discovery import DIRECTORY, suite_name

OK, TESTS_FAILED = 0, 1  # the exit statuses of pytest with which a run came to its end
SKIPPED = "what is skipped proves nothing: let it run, or delete it"


@dataclass(frozen=True)
class Advance:
    """A test came to its end: how many did, of how many, and how many its suite has left."""

    nodeid: str
    done: int
    total: int
    suite: Suite
    left: int


Progress = Callable[[Advance], None]


class SuiteRecorder:
    """Collects what each test did; `progress` is called after each.

    `home` is the directory of the project's suites, below the root.
    """

    def __init__(self, progress: Progress, home: str = DIRECTORY.as_posix()) -> None:
        self._home = home
        self.suites: dict[str, Suite] = {}
        self.findings: list[Finding] = []
        self.attendance = Attendance()
        self.passed: set[str] = set()
        self.failed: set[str] = set()
        self.skipped: set[str] = set()
        self.ended: set[str] = set()
        self.sizes: Counter[str] = Counter()
        self._left: Counter[str] = Counter()
        self.complete = False
        self.begun = False
        self.total = 0
        self.done = 0
        self._progress = progress

    def hear(self, line: dict[str, Any]) -> None:
        """Take one line of the relay."""
        match line["kind"]:
            case "report":
                self.begun = True
                self._report(line)
            case "collect":
                self.findings.append(finding(line, self.suite_of(line["nodeid"])))
            case "attendance":
                self.attendance.add(line["seen"])
            case "total":
                self.begun = True
                self.total = max(self.total, len(line["ids"]))
                self.sizes |= Counter(map(self.suite_of, line["ids"]))
            case "finished":
                self.complete = line["status"] in (OK, TESTS_FAILED)

    def _report(self, line: dict[str, Any]) -> None:
        name, nodeid = self.suite_of(line["nodeid"]), line["nodeid"]
        old = self.suites.get(name, Suite(name))
        outcome = line["outcome"]
        in_call = line["when"] == "call"
        suite = replace(
            old,
            passed=old.passed + (outcome == "passed" and in_call),
            failed=old.failed + (outcome == "failed"),
            skipped=old.skipped + (outcome == "skipped"),
            seconds=old.seconds + line["seconds"],
        )
        self.suites[name] = suite
        if outcome != "passed":
            self.findings.append(finding(line, self.suite_of(line["nodeid"])))
            (self.failed if outcome == "failed" else self.skipped).add(nodeid)
        elif in_call:
            self.passed.add(nodeid)
        if line["when"] == "teardown":
            self.done += 1
            self.ended.add(nodeid)
            self._left[name] -= 1
            left = self.sizes[name] + self._left[name]
            self._progress(Advance(nodeid, self.done, self.total, suite, left))

    def suite_of(self, nodeid: str) -> str:
        """The suite of a test."""
        return suite_name(nodeid, self._home)

    def judged_suites(self, left_out: list[Finding]) -> list[Suite]:
        """The suites, each with how many of its tests were left out."""
        missing = Counter(self.suite_of(finding.where) for finding in left_out)
        names = [*self.suites, *(name for name in missing if name not in self.suites)]
        suites = [self.suites.get(name, Suite(name)) for name in names]
        return [replace(suite, left_out=missing[suite.name]) for suite in suites]


def finding(line: dict[str, Any], suite: str) -> Finding:
    """A report that is no pass as a finding: the test's name is its stable id."""
    nodeid = line["nodeid"]
    test = nodeid.split("::")[-1]
    skipped = line.get("outcome") == "skipped"
    return Finding(
        id=f"{suite}.{test}" if "::" in nodeid else f"collect.{suite}",
        severity="critical",
        where=nodeid,
        message=line["message"],
        hint=SKIPPED if skipped else "",
        evidence=line["evidence"],
    )
