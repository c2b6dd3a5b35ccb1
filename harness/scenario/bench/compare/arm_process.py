"""A process of one arm: asked by lines, killed with us, and never waited for beyond a deadline."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.core.child import dies_with_us
from harness.core.errors import InfrastructureError
from harness.scenario.bench.compare.budget import TimeBudget
from harness.scenario.bench.compare.sample import Arm
from harness.server import redact

TAIL: Final = 600


@dataclass(frozen=True)
class InstalledArm:
    """A ref as it is installed: the Python that runs it, where its project is, and its papers.

    `own` says that its harness is its own, below `place`; else that of this process serves it.
    """

    arm: Arm
    ref: str
    commit: str
    place: Path
    project: Path
    python: Path
    own: bool
    environment: dict[str, str]

    @property
    def driver(self) -> Path:
        """The program that does its runs."""
        return self.place / "driver.py"


@dataclass(frozen=True)
class ArmHello:
    """What a process says of its ref; `place` is what it gets of the machine."""

    commit: str
    harness: str
    version: str
    commands: Sequence[str]
    clones: bool
    place: dict[str, str]


@dataclass(frozen=True)
class ArmRun:
    """One timed run."""

    commit: str
    warmth: int
    begun: float
    seconds: float
    status: int
    said: str


class ArmProcess:
    """The driver of an arm at work; a context manager that ends it."""

    def __init__(self, arm: InstalledArm, budget: TimeBudget) -> None:
        self._arm = arm
        self._budget = budget
        self._log = (arm.place / "log").open("ab")
        self._process = subprocess.Popen(
            [str(arm.python), str(arm.driver)],
            cwd=arm.project, env=arm.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._log, preexec_fn=dies_with_us(),
        )  # fmt: skip
        assert self._process.stdout is not None
        self._answers = selectors.DefaultSelector()
        self._answers.register(self._process.stdout, selectors.EVENT_READ)
        self._read = b""

    def __enter__(self) -> ArmProcess:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._answers.close()
        self._log.close()

    def hello(self) -> ArmHello:
        """What it is; raises InfrastructureError where it cannot say so."""
        return ArmHello(**self._ask("hello"))

    def run(self, name: str, kind: str, arguments: Sequence[str]) -> ArmRun:
        """One timed run of a benchmark."""
        answer = self._ask("run", name=name, kind=kind, arguments=list(arguments))
        return ArmRun(**{**answer, "said": redact(answer["said"])})  # it may quote a DSN

    def _ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            line = json.dumps({"do": what, "with": arguments})
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._line())
        except (BrokenPipeError, EOFError):
            status = self._process.wait()
            raise self._error(f"its process ended with status {status}", self._tail()) from None
        if "broken" in answer:
            raise self._error(answer["broken"], self._tail())
        return answer

    def _line(self) -> bytes:
        """The next line of its answers; EOFError when it ended."""
        assert self._process.stdout is not None
        while b"\n" not in self._read:
            if not self._answers.select(self._budget.patience):
                raise self._error("it did not answer in the time that there was", "")
            more = os.read(self._process.stdout.fileno(), 1 << 16)
            if not more:
                raise EOFError
            self._read += more
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _error(self, why: str, tail: str) -> InfrastructureError:
        where = f"{self._arm.arm} ({self._arm.ref})"
        return InfrastructureError(
            why, where=where, hint=tail or "run it again on a calmer machine"
        )

    def _tail(self) -> str:
        text = (self._arm.place / "log").read_text("utf-8", errors="replace")
        return redact(" ".join(text.split()))[-TAIL:]
