"""The pytest plugin in the gate's child process: each test report becomes one JSON line.

Loaded with `-p harness.scenario.relay`; writes to the file descriptor that HARNESS_RELAY_FD names.
Under xdist only the controller writes: it hears every worker's reports.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from harness.server.dsn import mask

DESCRIPTOR = "HARNESS_RELAY_FD"
EVIDENCE = 20_000  # characters of a failure's text that are kept


class Relay:
    """Writes what the session hears of, one JSON object a line."""

    def __init__(self, descriptor: int) -> None:
        self._out = os.fdopen(descriptor, "w", buffering=1)

    def _write(self, kind: str, **fields: Any) -> None:
        self._out.write(json.dumps({"kind": kind, **fields}) + "\n")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """One phase (setup, call, teardown) of one test."""
        self._write("report", when=report.when, seconds=report.duration, **_told(report))

    def pytest_collectreport(self, report: Any) -> None:
        """A module that cannot be collected is a finding, not a silence."""
        if report.failed:
            self._write("collect", **_told(report))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Every worker collects the same tests: their number is the run's total."""
        self._write("total", count=len(ids))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist the session itself knows the total."""
        self._write("total", count=len(session.items))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """The run came to its own end; without this line it was cut short."""
        self._write("finished", status=int(exitstatus))


def _told(report: Any) -> dict[str, Any]:
    told = {"nodeid": report.nodeid, "outcome": report.outcome}
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        text = str(report.longrepr)
        message = (
            crash.message if crash else (text.strip() or "no reason was given").splitlines()[-1]
        )
        first = (message.splitlines() or ["no reason was given"])[0]
        told |= {"message": mask(first[:500]), "evidence": mask(text[-EVIDENCE:])}
    return told


def pytest_configure(config: pytest.Config) -> None:
    """Register the relay in the controller only."""
    if not hasattr(config, "workerinput") and DESCRIPTOR in os.environ:
        config.pluginmanager.register(Relay(int(os.environ.pop(DESCRIPTOR))), "harness-relay")
