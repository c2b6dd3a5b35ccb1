"""Turns the lines of the relay into suites and findings, and tells of progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.check.finding import Finding
from harness.report.verdict import Suite

Progress = Callable[[str, int, int, Suite], None]

OK, TESTS_FAILED = 0, 1  # the exit statuses of pytest with which a run came to its end


class Recorder:
    """Collects what each test did; `progress(nodeid, done, total, suite)` is called after each."""

    def __init__(self, progress: Progress) -> None:
        self.suites: dict[str, Suite] = {}
        self.findings: list[Finding] = []
        self.complete = False
        self.total = 0
        self.done = 0
        self._progress = progress

    def hear(self, line: dict[str, Any]) -> None:
        """Take one line of the relay."""
        match line["kind"]:
            case "report":
                self._report(line)
            case "collect":
                self.findings.append(finding(line))
            case "total":
                self.total = max(self.total, line["count"])
            case "finished":
                self.complete = line["status"] in (OK, TESTS_FAILED)

    def _report(self, line: dict[str, Any]) -> None:
        name = suite_name(line["nodeid"])
        old = self.suites.get(name, Suite(name))
        outcome = line["outcome"]
        suite = replace(
            old,
            passed=old.passed + (outcome == "passed" and line["when"] == "call"),
            failed=old.failed + (outcome == "failed"),
            skipped=old.skipped + (outcome == "skipped"),
            seconds=old.seconds + line["seconds"],
        )
        self.suites[name] = suite
        if outcome == "failed":
            self.findings.append(finding(line))
        if line["when"] == "teardown":
            self.done += 1
            self._progress(line["nodeid"], self.done, self.total, suite)


def suite_name(nodeid: str) -> str:
    """The suite of a test: its module without test_."""
    return Path(nodeid.split("::")[0]).stem.removeprefix("test_")


def finding(line: dict[str, Any]) -> Finding:
    """A failed report as a finding: the test's name is its stable id."""
    nodeid = line["nodeid"]
    test = nodeid.split("::")[-1]
    return Finding(
        id=f"{suite_name(nodeid)}.{test}" if "::" in nodeid else f"collect.{suite_name(nodeid)}",
        severity="critical",
        where=nodeid,
        message=line["message"],
        hint=f"run it alone: pytest '{nodeid}' --keep-failed",
        evidence=line["evidence"],
    )
