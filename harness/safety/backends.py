"""End a server process that is still the session one has seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import psycopg

from harness.core.errors import Refused

ENDINGS: Final = {
    "cancel": "SELECT pg_catalog.pg_cancel_backend(a.pid)"
    " FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = %s AND a.backend_start = %s",
    "terminate": "SELECT pg_catalog.pg_terminate_backend(a.pid)"
    " FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = %s AND a.backend_start = %s",
}


def tell_backend(
    conn: psycopg.Connection[Any],
    measure: str,
    backend: tuple[int | None, datetime | None],
    named: str,
    hint: str,
) -> None:
    """Cancel or terminate by process and its start: a number alone may be another's by now.

    Raises Refused, with who it is and the hint, when this role may not.
    """
    try:
        conn.execute(ENDINGS[measure], backend)
    except psycopg.errors.InsufficientPrivilege:
        raise Refused(f"{named} may not be ended by this role", hint=hint) from None
