"""Expected errors: one sentence that says what, where, and what to do next; an exit status.

The exit statuses are the command line's contract: 1 refused or a check failed, 2 usage,
3 infrastructure, 4 another runner is at work, 5 stopped midway and resumable. Anything that is
not a `HarnessError` is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.core.exit_status import ExitStatus


@dataclass(frozen=True)
class Reached:
    """How far a run came before it halted, and what to do next."""

    steps_done: int
    steps_total: int
    step: str | None
    next: str
    advice: str

    def __str__(self) -> str:
        at = f", halted in {self.step}" if self.step else ""
        return f"{self.steps_done} of {self.steps_total} steps are done{at}; {self.advice}"


class HarnessError(Exception):
    """An expected error. `where` is a file, line or step; `hint` is what to do next.

    `reached` is how far a run came that the error halted.
    """

    exit_status: ClassVar[ExitStatus] = ExitStatus.FAILED
    reached: Reached | None = None

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        text = f"{text}; {self.hint}" if self.hint else text
        return f"{text}; {self.reached}" if self.reached else text


class Refused(HarnessError):  # noqa: N818 - reads as what happened, like StopIteration
    """A rule refuses this: a closed window, an edited plan, a foreign database, a failed check."""

    exit_status = ExitStatus.FAILED


class StepFailed(HarnessError):  # noqa: N818 - likewise
    """A step's SQL failed; the step was undone, everything before it stays."""

    exit_status = ExitStatus.FAILED


class UsageError(HarnessError):
    """Bad arguments or an unreadable plan; nothing was touched."""

    exit_status = ExitStatus.USAGE


class InfrastructureError(HarnessError):
    """No server, no connection, no Postgres found."""

    exit_status = ExitStatus.INFRASTRUCTURE


class AnotherRunnerError(HarnessError):
    """Another runner holds the database."""

    exit_status = ExitStatus.ANOTHER_RUNNER


class Stopped(HarnessError):  # noqa: N818 - likewise
    """Stopped midway by a signal or a lost connection; running again resumes."""

    exit_status = ExitStatus.STOPPED
