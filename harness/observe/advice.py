"""What the one error table says of an error at hand: its class, whose fault it is, what to do."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from harness.core.sqlstate import (
    Retry,
    Severity,
    advice_for,
    advice_for_message,
    class_of,
    state_by_words,
)


@dataclass(frozen=True)
class ErrorAdvice:
    """An error by the table; `state` is empty where the server told none."""

    state: str
    kind: str
    severity: Severity
    retry: Retry
    advice: str

    @property
    def retryable(self) -> bool:
        """Whether the runner tries again by itself."""
        return self.retry != "never"


def advise(error: psycopg.Error) -> ErrorAdvice:
    """What the table says of an error of the server, or of a connection that it refused.

    What depends on the message comes before the server's own hint, and that before the table's.
    """
    said = error.diag.message_primary or str(error)
    state = error.sqlstate or state_by_words(said)
    known = advice_for(state)
    words = advice_for_message(state, said) or error.diag.message_hint or known.advice
    return ErrorAdvice(state or "", class_of(state), known.severity, known.retry, words)
