"""How far the migration of a window is, by the database's ledger; nothing is locked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import psycopg
from psycopg.rows import class_row

from harness.database.ledger_names import spelled
from harness.database.ledger_view import has_ledger
from harness.people.window import MaintenanceWindow

EARLY: Final = timedelta(hours=12)
"""A run that began longer before the planned start was a rehearsal, and nobody's news."""
_LAST: Final = spelled("""
SELECT id, direction, started_at, completed_at FROM {run}
WHERE direction IN ('forward', 'rollback') AND plan = %s AND started_at >= %s
ORDER BY id DESC LIMIT 1
""")


@dataclass(frozen=True)
class RunMoment:
    """The last run of a window: which way, since when, and when it came to its end."""

    id: int
    direction: Literal["forward", "rollback"]
    started_at: datetime
    completed_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether it came to its end."""
        return self.completed_at is not None


def read_moment(
    conn: psycopg.Connection[Any], plan: str | None, window: MaintenanceWindow
) -> RunMoment | None:
    """The last run of the plan that belongs to the window; None where there is none.

    Without a plan there is none: a foreign subject has no ledger of ours.
    """
    if plan is None or not has_ledger(conn):
        return None
    with conn.cursor(row_factory=class_row(RunMoment)) as cursor:
        return cursor.execute(_LAST, [plan, window.start_utc - EARLY]).fetchone()
