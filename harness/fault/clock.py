"""A process whose wall clock can be moved while it runs, by libfaketime.

CLOCK_MONOTONIC stays as it is, as it does when an operator or a time daemon sets the clock.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.core.errors import InfrastructureError
from harness.core.poll import wait_until

PLACES: Final = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
LIBRARY: Final = "libfaketimeMT.so.1"  # the one for programs with threads
LAUNCH: Final = """
import importlib, os, runpy, select, signal, sys, time
witness, prepare, *sys.argv[1:] = sys.argv[1:]
def tell(*_):
    with open(witness + ".new", "w") as out:
        out.write(repr(time.time()))
    os.replace(witness + ".new", witness)
signal.signal(signal.SIGUSR1, tell)
time.sleep = lambda seconds: select.select((), (), (), seconds)
tell()
if prepare:
    module, _, function = prepare.partition(":")
    getattr(importlib.import_module(module), function)()
runpy.run_module("harness", run_name="__main__", alter_sys=True)
"""
"""`python -m harness`, which also says, on SIGUSR1, what time it takes it to be.

Its sleep is another call with the same meaning: libfaketime up to 0.9.10 breaks the one that Python
makes when CLOCK_MONOTONIC is left alone (https://github.com/wolfcw/libfaketime/issues/426).
"""


def library() -> Path:
    """Where libfaketime is; InfrastructureError when it is nowhere."""
    for place in map(Path, PLACES):
        for found in (*place.glob(f"faketime/{LIBRARY}"), *place.glob(f"*/faketime/{LIBRARY}")):
            return found
    raise InfrastructureError(
        "faketime: libfaketime is not on this machine", hint="install Debian's package libfaketime"
    )


@dataclass(frozen=True)
class Finished:
    """How the command ended; `said` is its JSON document."""

    status: int
    said: dict[str, Any]
    stderr: str


class ClockedHarness:
    """A `python -m harness …` under a clock of its own; close it. `offset` is in hours."""

    def __init__(
        self, arguments: Sequence[str], dsn: str, *, offset: float = 0, prepare: str | None = None
    ) -> None:
        preload = str(library())
        self._home = Path(tempfile.mkdtemp(prefix="harness-clock-"))
        self._witness = self._home / "witness"
        self.jump(offset)
        env = {
            **os.environ,
            "LD_PRELOAD": preload,
            "FAKETIME_TIMESTAMP_FILE": str(self._home / "offset"),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "HARNESS_DSN": dsn,  # not an argument: it may hold a password
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = [sys.executable, "-c", LAUNCH, str(self._witness), prepare or "", *arguments]
        with (self._home / "out").open("wb") as out, (self._home / "err").open("wb") as err:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env
            )

    def jump(self, hours: float) -> None:
        """Set its clock to this many hours from the true time, from now on."""
        new = self._home / "offset.new"
        new.write_text(f"{round(hours * 3600):+d}s\n")
        new.replace(self._home / "offset")  # it is read at every look at the clock

    def started(self, limit: float = 30) -> float:
        """What time it was for it when it began, in seconds since the epoch."""
        wait_until(lambda: self._witness.exists() or self.ended, limit, "the command to start")
        return self._told()

    def time(self, limit: float = 30) -> float:
        """What time it is for it, asked for now; it must be running, and started."""
        self._witness.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR1)
        wait_until(lambda: self._witness.exists() or self.ended, limit, "the command's time")
        return self._told()

    def _told(self) -> float:
        if not self._witness.exists():
            raise InfrastructureError(
                f"faketime: the command ended early: {self._stderr()}",
                hint="look whether libfaketime works here, or leave --domain environment out",
            )
        return float(self._witness.read_text())

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def wait(self, limit: float = 120) -> Finished:
        """Wait for its end; TimeoutError when it does not come."""
        try:
            status = self._process.wait(limit)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"the command did not end within {limit:g} s") from None
        out = (self._home / "out").read_text()
        return Finished(status, json.loads(out) if out.strip() else {}, self._stderr())

    def _stderr(self) -> str:
        return " ".join((self._home / "err").read_text().split())

    def close(self) -> None:
        """SIGKILL it if it runs, and remove its files."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> ClockedHarness:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
