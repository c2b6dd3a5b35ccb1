"""Whether a server answers us, and if it does not, why."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo

from harness.core.errors import InfrastructureError
from harness.core.poll import wait_until
from harness.server.secrets import redact

# A server that starts, stops or is full lets us in later; one that says this never does.
_NEVER: Final = re.compile(
    "authentication failed|no password supplied|does not support|not supported|no pg_hba.conf"
    "|invalid connection option|invalid [a-z_]+ value|definition of service|service file"
    "|role .* does not exist|session is (?:not )?read-only|server is (?:not )?in hot standby"
    "|channel binding|requirepeer|certificate|unrecognized configuration parameter"
)
_refusals: dict[str, str] = {}


def answers(dsn: str, timeout: int = 5) -> int | None:
    """The server's version number when it answers a query, else None.

    Raises InfrastructureError with its reason when it lets nobody in who comes like this.
    """
    try:
        with psycopg.connect(make_conninfo(dsn, connect_timeout=timeout), autocommit=True) as conn:
            conn.execute("select 1")
            _refusals.pop(dsn, None)
            return conn.info.server_version
    except psycopg.OperationalError as error:
        said = redact(" ".join(str(error).split()))
    _refusals[dsn] = said
    if _NEVER.search(said):
        raise InfrastructureError(
            f"the server runs, and refuses our client: {said}",
            hint="look at its pg_hba.conf and its log",
        )
    return None


def wait_for(
    dsn: str, ready: Callable[[], object], timeout: float, what: str, pause: float
) -> None:
    """Return when it is ready; a TimeoutError gives the reason of the last failed attempt."""
    try:
        wait_until(ready, timeout, what, pause=pause)
    except TimeoutError as error:
        refusal = last_refusal(dsn)
        raise TimeoutError(
            f"{error}; our client was told: {refusal}" if refusal else str(error)
        ) from None


def last_refusal(dsn: str) -> str:
    """Why the last attempt failed, or nothing when it did not."""
    return _refusals.get(dsn, "")
