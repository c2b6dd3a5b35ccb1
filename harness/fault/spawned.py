"""A program in a process group of its own, and all that it starts: watched, killed whole.

What it started is found by its session, by descent, and by a mark in its environment, which stays
when a process leaves both. Only where /proc and process descriptors are: on Linux.
"""

from __future__ import annotations

import os
import secrets
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from harness.core.child import dies_with_us
from harness.core.errors import InfrastructureError, UsageError
from harness.core.poll import wait_until
from harness.fault.process import LIMIT, Ending
from harness.server import redact

MARK: Final = "HARNESS_RUN"
SHOWN: Final = 3  # lines of its output that say how it ended
LONGEST: Final = 4096  # bytes of its output that are looked at for them
PATIENCE: Final = 20.0  # seconds for all of it to end; one may start another while it is killed


@dataclass
class SpawnedProcess:
    """A started program. `told` stays empty: it tells us nothing but how it ends."""

    popen: subprocess.Popen[bytes]
    mark: str
    output: IO[bytes]
    told: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._descriptor = os.pidfd_open(self.popen.pid)
        self._ending: Ending | None = None

    @property
    def pid(self) -> int:
        """Of the leader of its group."""
        return self.popen.pid

    def fileno(self) -> int:
        """A descriptor of the leader: readable when it has ended."""
        return self._descriptor

    def listen(self) -> bool:
        """Whether it is still there; it has nothing to tell."""
        return not self.has_ended()

    def has_ended(self) -> bool:
        """Whether the leader has ended, without waiting for it."""
        return self._ending is not None or bool(select.select([self._descriptor], [], [], 0)[0])

    def signal(self, number: int) -> None:
        """Send all of its group a signal; SIGKILL ends everything that it started, group or not."""
        if self._ending is not None:
            return
        if number == signal.SIGKILL:
            self._kill_all()
            return
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self) -> Ending:
        """SIGKILL all of it and collect it."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def wait(self, limit: float = LIMIT) -> Ending:
        """Wait for the leader's end, then kill what it left behind.

        TimeoutError when it does not end; everything is killed then. InfrastructureError naming
        the processes that outlive a SIGKILL.
        """
        if self._ending is None:
            ended = bool(select.select([self._descriptor], [], [], limit)[0])
            left = self._kill_all()
            if self.pid in left:
                raise _outlives(left)
            status = self.popen.wait()
            os.close(self._descriptor)
            self._ending = Ending(status, error=self._said())
            self.output.close()
            if left:
                raise _outlives(left)
            if not ended:
                raise TimeoutError(f"the run did not end within {limit:g} s")
        return self._ending

    def is_stopped(self) -> bool:
        """Whether the leader stands still after SIGSTOP, by the kernel's word."""
        stat = Path(f"/proc/{self.pid}/stat").read_bytes()
        return stat.rpartition(b")")[2].split()[0] == b"T"

    def stop(self) -> None:
        """SIGSTOP the group, and return when its leader stands still."""
        self.signal(signal.SIGSTOP)
        wait_until(self.is_stopped, 10, "the run to stand still", pause=0.001)

    def close(self) -> None:
        """Kill all of it if it is still there; may be called twice."""
        if self._ending is None:
            self._kill_all()
            self.wait(10)

    def __enter__(self) -> SpawnedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _kill_all(self) -> list[int]:
        """SIGKILL all of it until nothing is left; the processes that are there all the same."""
        left: list[int] = []

        def none_left() -> bool:
            left[:] = [pid for pid in running_tree(self.pid, self.mark) if _kill(pid)]
            return not left

        with suppress(TimeoutError):  # the kernel takes a moment to end what was killed
            wait_until(none_left, PATIENCE, "the end of the run", pause=0.001)
        return left

    def _said(self) -> str:
        """The last lines of its output, without passwords."""
        size = self.output.seek(0, os.SEEK_END)
        self.output.seek(max(0, size - LONGEST))
        text = self.output.read().decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return redact(" / ".join(lines[-SHOWN:]))


def spawn(
    argv: Sequence[str], environment: Mapping[str, str], cwd: Path | None = None
) -> SpawnedProcess:
    """Start a program; nothing is inherited but what is passed. It ends when we are killed.

    Raises UsageError when there is no such program or directory.
    """
    if sys.platform != "linux":
        raise InfrastructureError(
            "a foreign program can only be watched and killed whole on Linux",
            hint="run the exploration on Linux, in a container for example",
        )
    mark = secrets.token_hex(16)
    output = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is collected
    try:
        popen = subprocess.Popen(
            list(argv),
            env={**environment, MARK: mark},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=dies_with_us(),
        )
    except OSError as error:
        output.close()
        where = str(error.filename or argv[0])
        raise UsageError(
            f"cannot be started: {error.strerror}", where=where, hint="name a program that is there"
        ) from error
    return SpawnedProcess(popen, mark, output)


def running_tree(leader: int, mark: str) -> Iterator[int]:
    """The processes that belong to a run and have not ended, the leader too."""
    parents: dict[int, int] = {}
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError, ValueError):  # it ended while we looked
            state, parent, _, session = _stat(entry)
            pid = int(entry.name)
            parents[pid] = parent
            if state in "ZX":
                continue
            if pid == leader or session == leader or _is_marked(entry, mark):
                found.add(pid)
    yield from found
    yield from (pid for pid in parents if pid not in found and _descends(pid, found, parents))


def _stat(entry: Path) -> tuple[str, int, int, int]:
    """State, parent, group and session of a process."""
    fields = (entry / "stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[2]), int(fields[3])


def _is_marked(entry: Path, mark: str) -> bool:
    with suppress(OSError):  # somebody else's
        return f"{MARK}={mark}".encode() in (entry / "environ").read_bytes()
    return False


def _descends(pid: int, ancestors: set[int], parents: Mapping[int, int]) -> bool:
    seen: set[int] = set()
    while pid in parents and pid not in seen:
        seen.add(pid)
        pid = parents[pid]
        if pid in ancestors:
            return True
    return False


def _kill(pid: int) -> bool:
    """Send a SIGKILL; whether there was a process to get it, one that we may not kill too."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _outlives(pids: Sequence[int]) -> InfrastructureError:
    return InfrastructureError(
        f"SIGKILL does not end what the run started: pid {', '.join(map(str, sorted(pids)))}",
        hint="end them by hand, then run the same again",
    )
