"""The pytest plugin in the gate's child process: each test report becomes one JSON line.

Loaded with `-p harness.pytest_plugin.relay`; writes to the descriptor that HARNESS_RELAY_FD names.
Under xdist only the controller writes: it hears every worker's reports, and at a worker's end what
that one saw of its tests.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from harness.core import lifetime
from harness.core.gate_environment import RELAY_DESCRIPTOR
from harness.scenario.gate.attendance import OUTPUT, Usher
from harness.scenario.gate.shipped import HOME, portable_path
from harness.server.secrets import redact

DIFFERENCE = re.compile(r"^E .*(?:first extra item|one more item): (.+)$", re.MULTILINE)
EVIDENCE = 20_000  # characters of a failure's text that are kept


class Relay:
    """Writes what the session hears of, one JSON object a line."""

    def __init__(self, descriptor: int) -> None:
        self._out = os.fdopen(descriptor, "w", buffering=1)

    def _write(self, kind: str, **fields: Any) -> None:
        self._out.write(json.dumps({"kind": kind, **fields}) + "\n")

    def attendance(self, seen: dict[str, Any]) -> None:
        """What one process saw of its tests."""
        self._write("attendance", seen=seen)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """One phase (setup, call, teardown) of one test."""
        self._write("report", when=report.when, seconds=report.duration, **_told(report))

    def pytest_collectreport(self, report: Any) -> None:
        """A module that cannot be collected is a finding, not a silence; so is a skipped one."""
        if not report.passed:
            self._write("collect", **_told(report))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Every worker collects the same tests: their number is the run's total."""
        self._write("total", ids=ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker that came to its end hands over what it saw."""
        seen = getattr(node, "workeroutput", {}).get(OUTPUT)
        if seen:
            self.attendance(seen)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist the session itself knows the total."""
        if session.items:
            self._write("total", ids=[item.nodeid for item in session.items])

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """The run came to its own end; without this line it was cut short."""
        self._write("finished", status=int(exitstatus))


def _told(report: Any) -> dict[str, Any]:
    told = {"nodeid": report.nodeid, "outcome": report.outcome}
    if hasattr(report, "wasxfail"):  # a release suite expects nothing to fail
        expected = f"marked as expected to fail: {report.wasxfail or 'no reason was given'}"
        return told | {"outcome": "failed", "message": redact(expected[:500]), "evidence": ""}
    if report.passed:
        return told
    text = str(report.longrepr)
    first = (_message(report, text).splitlines() or ["no reason was given"])[0]
    return told | {"message": redact(first[:500]), "evidence": redact(text[-EVIDENCE:])}


def _message(report: Any, text: str) -> str:
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    if found := DIFFERENCE.search(text):  # more than "assert [...] == []"
        return found[1].strip().strip("\"'")
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash else (text.strip() or "no reason was given").splitlines()[-1]


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> Any:
    """A shipped suite that runs as it is has the same node ids wherever it is installed."""
    root = parent.config.rootpath
    name = portable_path(module_path, root)
    if name.startswith(f"{HOME}/") or not module_path.is_relative_to(root):
        return pytest.Module.from_parent(parent, path=module_path, nodeid=name)
    return None


def pytest_configure(config: pytest.Config) -> None:
    """Register the relay in the controller, and in every process that runs tests a look at them."""
    if lifetime.GATE not in os.environ:
        return
    worker = hasattr(config, "workerinput")
    lifetime.end_with_starter(None if worker else int(os.environ[lifetime.STARTER]))
    if worker:
        config.pluginmanager.register(Usher(), "harness-usher")
    elif RELAY_DESCRIPTOR in os.environ:
        relay = Relay(int(os.environ.pop(RELAY_DESCRIPTOR)))
        config.pluginmanager.register(relay, "harness-relay")
        config.pluginmanager.register(Usher(relay.attendance), "harness-usher")
