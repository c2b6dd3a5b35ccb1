"""Settle a DSN: which server it leads to is found once, and every session of a command goes there.

A DSN may leave much to the moment: one of several hosts, one of a name's addresses, a service, the
shell's variables. The first session asks libpq; what it was told is then written out.
"""

from __future__ import annotations

import os
from typing import Any, Final

import psycopg

from harness.core.errors import UsageError
from harness.server import instance, shell
from harness.server.dsn import Dsn, compose, fields, is_url
from harness.server.session import session

CONNECT_TIMEOUT: Final = 10
_CHOSEN: Final = ("service", "servicefile", "load_balance_hosts")  # what was to be chosen is

_BY_ITSELF: Final = {"sslcertmode": b"allow"}
"""What libpq fills in where nobody said anything, and does not call a default."""


def settle(dsn: str, *, named: bool = True) -> Dsn:
    """The DSN with every field that libpq found in it, in services and in the shell's variables.

    UsageError when it cannot be read or names no database, InfrastructureError when nobody answers.
    PGDATABASE is no name: it is in a shell for everything that runs there. Unless `named`, any
    database of the server will do.
    """
    if isinstance(dsn, Dsn) and dsn.settled:
        return dsn
    told = fields(dsn)
    name = told.get("dbname") or shell.service(told.get("service")).get("dbname")
    if named and not name:
        service = told.get("service")
        which = f"the DSN names no database, and its service {service!r} none that is found"
        raise UsageError(
            which if service else "the DSN names no database", hint="add /dbname to it"
        )
    with shell.given():
        conn = session(dsn, **_named(name), **_patience(told))
        with conn:
            found = _resolved(conn)
            here = instance.met(conn)
    text = compose(found) if is_url(dsn) else psycopg.conninfo.make_conninfo(**found)
    return Dsn(text, settled=True, instance=here)


def _named(name: str | None) -> dict[str, Any]:
    return {"dbname": name} if name else {}


def _patience(told: dict[str, str]) -> dict[str, Any]:
    given = told.get("connect_timeout") or os.environ.get("PGCONNECT_TIMEOUT")
    return {} if given else {"connect_timeout": CONNECT_TIMEOUT}


def _resolved(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """What libpq used for a session, without what it would use anyway."""
    found = {}
    for option in conn.pgconn.info:
        name, value = option.keyword.decode(), (option.val or b"").decode()
        variable = (option.envvar or b"").decode()
        usual = option.val in (option.compiled, _BY_ITSELF.get(name))
        usual = usual and variable not in os.environ
        if value and not usual and name not in _CHOSEN:
            found[name] = value
    return found | _place(conn, found)


def _place(conn: psycopg.Connection[Any], found: dict[str, str]) -> dict[str, str]:
    info = conn.info
    place = {"port": str(info.port), "dbname": info.dbname, "user": info.user}
    if "host" in found or not info.hostaddr:
        place["host"] = info.host
    if info.hostaddr and "%" not in info.hostaddr:
        place["hostaddr"] = info.hostaddr
    return place
