"""A job in a process of its own, forked from a warmed one, that can be signalled and killed.

The parent must have no threads when it forks: explorations run in worker processes that have none.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol

from harness.core.errors import HarnessError
from harness.core.exit_status import ExitStatus
from harness.core.poll import wait_until

Tell = Callable[[Any], None]
Job = Callable[[Tell], Any]
PR_SET_PDEATHSIG = 1
LIMIT = 120.0  # seconds that any job may take before the exploration itself is at fault


@dataclass(frozen=True)
class Ending:
    """How a job ended: `status` as a shell would see the command line, negative for a signal.

    `result` is what it returned; `error` its message, `kind` the class of its exception.
    """

    status: int
    result: Any = None
    error: str = ""
    kind: str = ""

    @property
    def done(self) -> bool:
        """Whether it did all it should."""
        return self.status == ExitStatus.DONE


class Process(Protocol):
    """A run in a process that can be watched, signalled and killed."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def fileno(self) -> int:
        """A descriptor that is readable when it tells something or has ended."""
        ...

    def listen(self) -> bool:
        """Take in what it told, without waiting; False once it has ended."""
        ...

    def signal(self, number: int) -> None:
        """Send it a signal; one that is gone gets none."""
        ...

    def stop(self) -> None:
        """SIGSTOP it, and return when it stands still."""
        ...

    def wait(self, limit: float = LIMIT) -> Ending:
        """Wait for its end; TimeoutError when it does not come, and it is killed."""
        ...


@dataclass
class JobProcess:
    """A forked job. `told` collects what it told so far, as of the last `listen`."""

    pid: int
    pipe: int
    told: list[Any] = field(default_factory=list)
    _buffer: bytes = b""
    _ending: Ending | None = None
    _status: int | None = None

    def fileno(self) -> int:
        """The reading end of its pipe: readable when it tells something or has ended."""
        return self.pipe

    def signal(self, number: int) -> None:
        """Send it a signal; one that is gone gets none."""
        if self._status is None:
            os.kill(self.pid, number)

    def kill(self) -> Ending:
        """SIGKILL it and collect it."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def listen(self) -> bool:
        """Take in, without waiting, what it has told; False once its pipe is at its end."""
        while select.select([self.pipe], [], [], 0)[0]:
            data = os.read(self.pipe, 65536)
            if not data:
                return False
            self._buffer += data
            self._unpack()
        return True

    def _unpack(self) -> None:
        while len(self._buffer) >= 4:
            size = int.from_bytes(self._buffer[:4], "big")
            if len(self._buffer) < 4 + size:
                return
            kind, value = pickle.loads(self._buffer[4 : 4 + size])  # noqa: S301 - from our own child
            self._buffer = self._buffer[4 + size :]
            if kind == "end":
                self._ending = value
            else:
                self.told.append(value)

    def wait(self, limit: float = LIMIT) -> Ending:
        """Wait for its end; TimeoutError when it does not come, and the process is killed."""
        deadline = time.monotonic() + limit
        while self._status is None and self.listen():
            left = deadline - time.monotonic()
            if left <= 0:
                os.kill(self.pid, signal.SIGKILL)
                raise TimeoutError(f"the runner did not end within {limit:g} s")
            select.select([self.pipe], [], [], left)
        return self._collected()

    def _collected(self) -> Ending:
        if self._status is None:
            _, raw = os.waitpid(self.pid, 0)
            self._status = os.waitstatus_to_exitcode(raw)
            os.close(self.pipe)
        if self._ending is not None and self._status >= 0:
            return self._ending
        return Ending(self._status)

    def wait_told(self, wanted: Callable[[Any], bool], limit: float = LIMIT) -> Any:
        """Wait until it tells something `wanted`; TimeoutError when it ends or time is over."""
        seen = 0
        deadline = time.monotonic() + limit
        while True:
            alive = self.listen()
            for value in self.told[seen:]:
                if wanted(value):
                    return value
            seen = len(self.told)
            left = deadline - time.monotonic()
            if not alive or left <= 0:
                raise TimeoutError("the runner ended before it told what was waited for")
            select.select([self.pipe], [], [], left)

    def has_ended(self) -> bool:
        """Whether it has ended, without waiting for it."""
        if self._status is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def is_stopped(self) -> bool:
        """Whether it stands still after SIGSTOP, by the kernel's word."""
        stat = Path(f"/proc/{self.pid}/stat").read_bytes()
        return stat.rpartition(b")")[2].split()[0] == b"T"

    def stop(self) -> None:
        """SIGSTOP it, and return when it stands still."""
        self.signal(signal.SIGSTOP)
        wait_until(self.is_stopped, 10, "the runner to stand still", pause=0.001)

    def close(self) -> None:
        """Kill it if it still runs; may be called twice."""
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            with suppress(TimeoutError):
                self.wait(10)

    def __enter__(self) -> JobProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def fork(job: Job, *, close: tuple[int, ...] = ()) -> JobProcess:
    """Run `job(tell)` in a forked process; the file descriptors `close` are closed in it."""
    reading, writing = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        end_with(parent)
        for descriptor in (reading, *close):
            with suppress(OSError):
                os.close(descriptor)
        _child(job, writing)
    os.close(writing)
    return JobProcess(pid, reading)


def end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends: nobody would hear what it tells.

    Only on Linux; elsewhere it ends when it notices that its connections are gone.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:  # it had ended before
            os._exit(1)


def _child(job: Job, pipe: int) -> NoReturn:
    """The life of the forked process. It must not clean up what it shares with its parent."""

    def send(kind: str, value: Any) -> None:
        data = pickle.dumps((kind, value))
        os.write(pipe, len(data).to_bytes(4, "big") + data)

    try:
        ending = _done(job, lambda value: send("told", value))
        send("end", ending)
        os._exit(ending.status)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(70)


def _done(job: Job, tell: Tell) -> Ending:
    try:
        return Ending(ExitStatus.DONE, job(tell))
    except HarnessError as error:
        return Ending(error.exit_status, None, str(error), type(error).__name__)
