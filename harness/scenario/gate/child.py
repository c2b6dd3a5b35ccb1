"""The suites in a process of their own, whose environment and options are the gate's alone."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import harness
from harness.core import lifetime
from harness.core.gate_environment import RELAY_DESCRIPTOR, SERVER_RECORD
from harness.report import evidence
from harness.scenario.gate.discovery import Suites
from harness.scenario.gate.settings import GateSettings
from harness.scenario.gate.workspace import Workspace
from harness.server import Server

CONFIGURATION = Path(__file__).with_name("pytest.ini")
FOREIGN = ("PYTEST", "PYTHON", "PY_", "HARNESS_", "COV_", "PG")
"""How the names of variables begin that say how pytest, Python, the harness or libpq behave."""
OURS = ("HARNESS_CACHE", "HARNESS_DATA", "HARNESS_PG_BIN", "HARNESS_SERVER_USER")
"""Where servers live and come from: these are the machine's, and reach the suites."""
PLUGIN = "harness.pytest_plugin"
TICK = 1.0

Hear = Callable[[dict[str, Any]], None]


def command(settings: GateSettings, suites: Suites, space: Workspace, server: Server) -> list[str]:
    """pytest over the suites; nothing that a project or a user configures changes which run."""
    options: dict[str, Any] = {
        "server": server.provider,
        "rows": settings.rows,
        "seed": settings.seed,
    }
    if settings.plan is not None:
        options["plan"] = settings.plan.resolve()
    return [
        *(sys.executable, "-m", "pytest", *map(str, suites.paths)),
        *("-p", "xdist", "-p", PLUGIN, "-p", f"{PLUGIN}.relay", "-p", "no:cacheprovider"),
        *("--rootdir", str(suites.root), "--confcutdir", str(suites.root)),
        *("-c", str(CONFIGURATION), "-n", str(settings.workers), "--dist", "worksteal"),
        *(f"--ignore={path}" for path in suites.left_alone),
        *("--junitxml", str(space.left / "junit.xml")),
        *(f"--pg-{name}={value}" for name, value in options.items()),
        *(["--keep-failed"] if settings.keep_failed else []),
        *(["--trust-command"] if settings.trusted else []),
    ]


def environment(
    around: Mapping[str, str], space: Workspace, server: Server, descriptor: int
) -> dict[str, str]:
    """What the suites' process sees: the machine's variables, and the gate's own."""
    kept = {
        name: value
        for name, value in around.items()
        if name in OURS or not name.upper().startswith(FOREIGN)
    }
    home = Path(harness.__file__).parent.parent
    if "site-packages" not in home.parts:
        kept["PYTHONPATH"] = str(home)  # the harness whose hash the verdict carries
    return kept | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TMPDIR": str(space.temporary),
        SERVER_RECORD: json.dumps(server.record()),
        RELAY_DESCRIPTOR: str(descriptor),
        lifetime.GATE: space.token,
        lifetime.STARTER: str(os.getpid()),
        evidence.VARIABLE: str(space.left / "evidence"),
    }


def run(
    settings: GateSettings,
    suites: Suites,
    space: Workspace,
    server: Server,
    hear: Hear,
    tick: Callable[[], None],
) -> int:
    """Run the suites to their end; pytest's exit status. `hear` gets every line of the relay.

    `tick` is called at least once a second. When this process leaves early, the child goes first.
    """
    reading, writing = os.pipe()
    with _started(settings, suites, space, server, writing) as child:
        for line in _lines(reading, tick, lambda: child.poll() is None):
            hear(json.loads(line))
        return child.wait()


@contextmanager
def _started(
    settings: GateSettings, suites: Suites, space: Workspace, server: Server, writing: int
) -> Iterator[subprocess.Popen[bytes]]:
    with (space.left / "pytest.log").open("w") as log:
        child = subprocess.Popen(
            command(settings, suites, space, server),
            cwd=suites.root,
            env=environment(os.environ, space, server, writing),
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is the gate's to hear
        )
    os.close(writing)
    try:
        yield child
    finally:
        working = child.poll() is None
        child.kill()
        child.wait()
        if working:
            lifetime.kill_group(space.token)


def _lines(reading: int, tick: Callable[[], None], lives: Callable[[], bool]) -> Iterator[bytes]:
    """Whole lines until the other end is closed; forks that hold it still are not waited for."""
    rest, ticked = b"", time.monotonic()
    try:
        while True:
            if select.select([reading], [], [], TICK)[0]:
                more = os.read(reading, 1 << 16)
                if not more:
                    return
                *whole, rest = (rest + more).split(b"\n")
                yield from whole
            elif not lives():
                return
            if time.monotonic() - ticked >= TICK:
                ticked = time.monotonic()
                tick()
    finally:
        os.close(reading)
