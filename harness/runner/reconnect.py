"""Keep at a job through lost connections: reconnect for a bounded time, then go on from the ledger.

Also settles the unknown outcome of a commit whose answer was lost: the next session ends the old
backend, reads the ledger, and finds the checkpoint there or not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from harness.core.errors import (
    AnotherRunnerError,
    HarnessError,
    InfrastructureError,
    Refused,
    StepFailed,
    Stopped,
)
from harness.observe.advice import advise
from harness.runner.backoff import delay, pause
from harness.runner.connection import first_words
from harness.runner.context import RunContext
from harness.runner.fence import LedgerMovedError
from harness.runner.session import RunnerSession

T = TypeVar("T")
HOPELESS = 6  # connections lost in a row, without one checkpoint between
RESTLESS = 20  # times in a row that the ledger moved between a look at it and the claim


class _Patience:
    """How long to go on trying; starts anew with every checkpoint."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._seen = context.progress
        self._losses = 0
        self._deadline: float | None = None
        self.attempt = 0

    def lost(self, error: BaseException) -> None:
        """Count a lost or refused connection, wait a little; Stopped when it was too much."""
        context = self._context
        if context.progress > self._seen:
            self._seen, self._losses, self._deadline, self.attempt = context.progress, 0, None, 0
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + context.settings.reconnect
        self.attempt += 1
        self._losses += not isinstance(error, InfrastructureError)
        if context.stop() or now >= self._deadline or self._losses >= HOPELESS:
            raise Stopped(
                f"the connection was lost: {first_words(error)}",
                hint="run the same again to resume when the server is reachable",
            ) from error
        context.tell("reconnecting", message=first_words(error))
        pause(delay(self.attempt, context.settings), context.stop)


def attend(dsn: str, context: RunContext, job: Callable[[RunnerSession], T]) -> T:
    """Open a session and do the job; begin it again after a lost connection.

    Likewise when the last runner committed something after the ledger was read.
    """
    patience, moved = _Patience(context), 0
    while True:
        session: RunnerSession | None = None
        lost = False
        try:
            session = RunnerSession(dsn, context)
            return job(session)
        except LedgerMovedError:
            moved += 1
            if moved >= RESTLESS:
                raise AnotherRunnerError(
                    "the ledger moved each time between a look at it and the claim of the run",
                    hint="see with `harness status` who writes it, and run the same again",
                ) from None
        except (InfrastructureError, psycopg.Error) as error:
            lost = True
            _refuse_others(session, context, error)
            patience.lost(error)
        except Stopped as stopped:
            if session is not None:
                session.note_stop(str(stopped))
            raise
        finally:
            if session is not None:
                session.close(wait=not lost)


def _refuse_others(
    session: RunnerSession | None, context: RunContext, error: InfrastructureError | psycopg.Error
) -> None:
    """Raise an error that is none of a lost connection."""
    if isinstance(error, InfrastructureError):
        if not context.connected:
            raise error
    elif not _is_loss(session, error):
        raise _explained(error) from error


def _is_loss(session: RunnerSession | None, error: psycopg.Error) -> bool:
    if session is not None:
        return session.lost(error)
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def _explained(error: psycopg.Error) -> HarnessError:
    """An error of the runner's own SQL, not of the plan's."""
    advice = advise(error)
    message = f"{error.diag.message_primary or first_words(error)} (SQLSTATE {error.sqlstate})"
    if advice.severity in ("resource", "transient"):  # nothing is wrong with plan or ledger
        return Stopped(message, where="the ledger", hint=advice.advice)
    kind = Refused if advice.severity == "environment" else StepFailed
    return kind(message, where="the ledger", hint=advice.advice)
