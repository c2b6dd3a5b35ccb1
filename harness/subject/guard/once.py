"""An invocation run once to its end, within its limit; what it wrote, without passwords."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO, Final

from harness.core.errors import UsageError
from harness.server import redact
from harness.subject.protocol import Invocation

_TELLS: Final = re.compile(r"error:|fatal:|refused|denied|not found|no such", re.IGNORECASE)
_TAIL: Final = 65536  # bytes of its output that are read


@dataclass(frozen=True)
class Ended:
    """How a process ended: `status` as a shell says it, None where it was killed at its limit."""

    status: int | None
    output: str

    @property
    def reason(self) -> str:
        """The last line that speaks of an error, else the last one; empty where it wrote none."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        telling = [line for line in lines if _TELLS.search(line)] or lines
        return telling[-1] if telling else ""

    @property
    def words(self) -> str:
        """How it ended, with what it said of it."""
        how = "did not end in time" if self.status is None else f"ended with status {self.status}"
        return f"{how}: {self.reason}" if self.reason else how


def run_once(invocation: Invocation) -> Ended:
    """Run it, without input, and end whatever it leaves. Raises UsageError for no such program."""
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                invocation.argv,
                env=dict(invocation.environment),
                cwd=invocation.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            name = invocation.argv[0]
            reason = f"{name} cannot be run: {error.strerror}"
            raise UsageError(reason, hint="name a program that is there") from None
        status: int | None = None
        with process:
            try:
                status = process.wait(invocation.limit)
            except subprocess.TimeoutExpired:
                pass
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        if status is not None and status < 0:
            status = 128 - status
        return Ended(status, _tail(output))


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _TAIL))
    return redact(output.read().decode("utf-8", "replace"))
