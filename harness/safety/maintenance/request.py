"""What is asked of maintenance mode: on which tables, against which roles, by which rules."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import dataclass, field

from harness.core.errors import Refused, UsageError
from harness.core.quantity import duration
from harness.plan.rules import MaintenanceRules

USUAL = 900.0
"""How many seconds a lease lasts that nobody renews, unless --for says otherwise."""
LONGEST_REASON = 500
NO_REASON = "maintenance"


@dataclass(frozen=True)
class MaintenanceRequest:
    """Who is to be read-only and why. `schemas` None: every table of a user is the subject's.

    Times in seconds; `lock_timeout` is how long a table's lock is waited for at a time.
    """

    roles: tuple[str, ...]
    schemas: frozenset[str] | None = None
    rules: MaintenanceRules = field(default_factory=MaintenanceRules)
    reason: str = NO_REASON
    lock_timeout: float = 2.0

    def lease(self, asked: float | None) -> float:
        """The length of a lease; Refused when it is longer than the plan allows."""
        if asked is not None and asked > self.rules.max_lease:
            raise Refused(
                f"a lease of {duration(asked)} is longer than the plan allows"
                f" ({duration(self.rules.max_lease)})",
                hint="take a shorter one and renew it, or raise max_lease in [maintenance]",
            )
        return min(USUAL, self.rules.max_lease) if asked is None else asked


def checked_reason(given: str | None) -> str:
    """The reason on one line; a usage error for one that says nothing or cannot be kept."""
    if given is None:
        return NO_REASON
    reason = " ".join(given.split())
    if not reason or "\0" in reason or len(reason) > LONGEST_REASON:
        raise UsageError(
            f"--reason is a text of 1 to {LONGEST_REASON} characters",
            hint="the application reads it in the error that refuses its writes",
        )
    return reason


def client_name() -> str:
    """Who asks, from where: user, host, process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}:{os.getpid()}"
