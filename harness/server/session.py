"""Open a session, or say why there is none, with no password anywhere."""

from __future__ import annotations

import re
from typing import Any, Final

import psycopg

from harness.core.errors import HarnessError, InfrastructureError, UsageError
from harness.core.sqlstate import advice_for, state_by_words
from harness.server import instance
from harness.server.dsn import Dsn, fields
from harness.server.secrets import redact, remember

_UNSPOKEN: Final = (b"SQL_ASCII", b"MULE_INTERNAL", b"EUC_TW")
"""Client encodings for which psycopg has no text."""


def session(dsn: str, *, restarted: bool = False, **options: Any) -> psycopg.Connection[Any]:
    """An autocommit session on the server that a DSN was settled on.

    Raises an InfrastructureError without a trace of psycopg's frames, Refused when it is another
    server; with `restarted` it may be the same one, started again meanwhile.
    """
    conn = _opened(dsn, options)
    first = dsn.instance if isinstance(dsn, Dsn) else None
    if first is None:
        return conn
    try:
        found = instance.met(conn)
        if not (restarted and found.restarted(first)):
            instance.refuse_other(found, first)
    except psycopg.OperationalError as error:  # it went away again
        conn.close()
        raise no_connection(error) from error
    except BaseException:
        conn.close()
        raise
    return conn


def _opened(dsn: str, options: dict[str, Any]) -> psycopg.Connection[Any]:
    refused: HarnessError
    remember({**fields(dsn), **options})  # what cannot be read is refused without its values
    try:
        conn = psycopg.connect(dsn, autocommit=True, **options)
        if "client_encoding" not in options:
            _speak_python(conn)
        return conn
    except psycopg.OperationalError as error:
        refused = _unusable(error) or no_connection(error)
    except psycopg.ProgrammingError as error:  # a service that is not there, a value out of range
        refused = UsageError(
            f"the DSN leads nowhere: {redact(_one_line(error))}", hint="correct that part of it"
        )
    raise refused  # outside the block: nobody prints a frame that holds the password


def _speak_python(conn: psycopg.Connection[Any]) -> None:
    """Let the session speak an encoding that Python knows, and in which every byte is a text."""
    # by libpq itself: psycopg needs an encoding to tell even this one's name
    if conn.pgconn.parameter_status(b"client_encoding") not in _UNSPOKEN:
        return
    here = conn.pgconn.parameter_status(b"server_encoding")
    # a server that knows no encoding converts nothing: in latin1 its bytes come and go as they are
    wanted = b"latin1" if here in (b"SQL_ASCII", b"MULE_INTERNAL") else b"utf8"
    conn.pgconn.exec_(b"set client_encoding to " + wanted)


def _unusable(error: psycopg.Error) -> UsageError | None:
    """A value that libpq itself cannot use: no server was asked."""
    match = re.search(r"invalid (?:integer |\w+ )?value: ?\S*|invalid integer value.*", str(error))
    if match is None or "FATAL" in str(error):
        return None
    return UsageError(
        f"the DSN cannot be used: {redact(_one_line(match[0]))}", hint="correct that part of it"
    )


def no_connection(error: psycopg.Error) -> InfrastructureError:
    """Why there is no connection, in one sentence with what to look at."""
    said = redact(_one_line(error))
    return InfrastructureError(f"no connection to the database: {said}", hint=_hint(said))


_HINTS: Final = {
    r"no password supplied": "give the password in the DSN, in PGPASSWORD or in a passfile",
    r"role .* does not exist|no pg_hba.conf entry": "check the DSN's role and sslmode, and whom"
    " the server lets in from here (pg_hba.conf)",
    r"due to (?:transaction|idle-\S+|statement) timeout": "lift that limit of the database or the"
    " role: it leaves no time at all",
    r"not currently accepting connections": "the database lets nobody in: see datallowconn in"
    " pg_database",
    r"permission denied for database": "grant the role CONNECT on the database",
    r"not permitted to log in": "give the role LOGIN, or name another",
    r"private key": "check sslkey, who may read it, and sslpassword",
    r"SSL|certificate": "check sslmode in the DSN and PGSSLMODE",
    r"definition of service|service file": "check the service, PGSERVICE and the service file",
    r"session is (?:not )?read-only|hot standby": "check target_session_attrs",
    r"name or service not known|could not translate|resolve": "check the host's name",
}
"""What to look at, by libpq's own words, where no SQLSTATE stands behind them."""


def _hint(said: str) -> str:
    state = state_by_words(said)
    if state is not None:
        return advice_for(state).advice
    for pattern, hint in _HINTS.items():
        if re.search(pattern, said, re.IGNORECASE):
            return hint
    return "check the DSN and that the server runs"


def _one_line(error: psycopg.Error | str) -> str:
    return " ".join(str(error).split()) or type(error).__name__
