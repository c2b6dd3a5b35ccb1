"""The exit statuses of the command line, which scripts and CI jobs rely on."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """How a command ended, as a shell sees it."""

    DONE = 0
    """Done, every check passed, GO."""
    FAILED = 1
    """A check failed or is unknown, NO-GO, or a rule refused."""
    USAGE = 2
    """Bad arguments, an unreadable plan; nothing was touched."""
    INFRASTRUCTURE = 3
    """No server, no connection, no Postgres found."""
    ANOTHER_RUNNER = 4
    """Another runner holds the database."""
    STOPPED = 5
    """Stopped midway; running the same again resumes."""

    @classmethod
    def of(cls, passed: bool) -> ExitStatus:
        """DONE for a verdict that passed, FAILED for one that failed or is unknown."""
        return cls.DONE if passed else cls.FAILED
