"""An invocation run once to its end, within its limit; what it wrote, without passwords."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO, Final

from harness.core.errors import UsageError
from harness.server import redact
from harness.subject.protocol import Invocation

_TAIL: Final = 65536  # bytes of its output that are read


@dataclass(frozen=True)
class Ended:
    """How a process ended: `status` as a shell says it, None where it was killed at its limit."""

    status: int | None
    output: str

    @property
    def last_line(self) -> str:
        """The last line that it wrote; empty where it wrote none."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    @property
    def words(self) -> str:
        """How it ended, with its last line."""
        how = "did not end in time" if self.status is None else f"ended with status {self.status}"
        return f"{how}: {self.last_line}" if self.last_line else how


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
            raise UsageError(f"{name} cannot be run: {error.strerror}") from None
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
