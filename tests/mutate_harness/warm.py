"""A process that has imported what tests import besides the harness; each run is a fork of it.

Importing pytest, hypothesis, faker and psycopg takes longer than most tests that see a mutant.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import random
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from .loaded import import_tree, unload

_IMPORTED: Final = (
    *("_pytest.pytester", "pytest", "xdist.plugin", "hypothesis", "hypothesis.strategies"),
    *("hypothesis.stateful", "faker", "psycopg", "psycopg.sql", "psycopg.types.json", "click"),
    *("jinja2", "msgspec", "pglast", "pglast.visitors", "rich.console", "sqlalchemy", "psutil"),
)
_QUIET: Final = (
    *("-q", "-x", "-n", "0", "--no-header", "-p", "no:cacheprovider", "--tb=line"),
    # these modules are imported here, before pytest can rewrite their asserts
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


class Warm:
    """The parent's end: asks for runs, and ends those that take too long."""

    def __init__(self, place: Path) -> None:
        environment = {
            key: value
            for key, value in os.environ.items()
            # with bytecode kept, a run takes half the time
            if not key.startswith(("PG", "PYTEST_", "HARNESS_", "PYTHONDONTWRITEBYTECODE"))
        }
        environment |= {"PYTHONPATH": str(place), "HARNESS_SERVER": "embedded"}
        # outside of the tree: a search for a project's file would find the tree's
        self._own = tempfile.TemporaryDirectory(prefix="harness-mutate-")
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.mutate_harness.warm"],
            cwd=place, env=environment, start_new_session=True,
            # unbuffered: a line that Python has read ahead cannot be waited for
            bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        _pipe(self._child.stdout).readline()  # it has loaded the tree as it is

    def run(
        self, tests: Sequence[str], limit: float, changed: str = ""
    ) -> tuple[int | None, str, float]:
        """Pytest's status (None: it had to be ended), what it said, and its seconds.

        `changed` is the file that is another than when this process began.
        """
        log = Path(self._own.name) / "log"
        order = {
            "tests": [f"--basetemp={log.with_name('t')}", *tests],
            "log": str(log),
            "changed": changed,
        }
        _pipe(self._child.stdin).write(json.dumps(order).encode() + b"\n")
        answers = _pipe(self._child.stdout)
        pid, started = int(answers.readline()), time.monotonic()
        in_time = _is_ready(answers, limit)
        _end_group(pid)  # whatever the tests left, too
        status = int(answers.readline())
        seconds = time.monotonic() - started
        return (
            (status, log.read_text(errors="replace"), seconds) if in_time else (None, "", seconds)
        )

    def close(self) -> None:
        """End the process."""
        _pipe(self._child.stdin).close()
        self._child.wait()
        _pipe(self._child.stdout).close()
        self._own.cleanup()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _is_ready(pipe: IO[bytes], limit: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(limit))


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def serve() -> None:
    """Read orders from standard input, fork for each, answer with its pid and then its status."""
    for name in _IMPORTED:
        with contextlib.suppress(ImportError):  # an extra that is not installed costs time alone
            importlib.import_module(name)
    importers = import_tree(Path.cwd())
    _tell(0)  # from here on files may change
    gc.freeze()  # a fork that collects what is here copies all of it
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            if order["changed"]:
                unload(order["changed"], importers)
            _run(order["tests"], order["log"])
        _tell(pid)
        _, status = os.waitpid(pid, 0)
        _tell(os.waitstatus_to_exitcode(status))


def _tell(number: int) -> None:
    os.write(1, f"{number}\n".encode())


def _run(tests: Sequence[str], log: str) -> None:
    """Become the run: a group of its own, nothing to read, everything said into the log."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for source, taken in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(source, taken)
    random.seed()  # forks would draw the same names
    import pytest

    sys.argv = ["pytest", *_QUIET, *tests]
    status = pytest.main(sys.argv[1:])
    atexit._run_exitfuncs()  # only what is registered: to free every module takes seconds
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    serve()
