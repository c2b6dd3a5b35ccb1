"""DSNs: read by libpq, made from its fields, and masked for every eye."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.core.errors import UsageError
from harness.server.instance import Instance
from harness.server.secrets import mask, redact, remember

__all__ = ["Dsn", "compose", "fields", "is_url", "mask", "replaced", "url", "with_dbname"]

_OTHER_SCHEME: Final = re.compile(r"\s*([A-Za-z][\w.+-]*(?::[A-Za-z]\w*)?)://")
_SCHEMES: Final = ("postgresql", "postgres")
_PLAIN_HOST: Final = re.compile(r"[A-Za-z0-9._-]+")


class Dsn(str):
    """A libpq URL or connection string whose repr shows no password.

    Frames are printed by repr: by pytest, by debuggers, by loggers. `instance` is the server that
    its first session met, for a DSN that was settled: every later session must meet it too.
    """

    instance: Instance | None
    settled: bool

    def __new__(cls, text: str, *, settled: bool = False, instance: Instance | None = None) -> Dsn:
        """The text as a DSN; its passwords are remembered, so that `redact` finds them."""
        made = super().__new__(cls, text)
        made.settled = settled
        made.instance = instance
        with contextlib.suppress(psycopg.ProgrammingError):  # whoever uses it will say so
            remember(conninfo_to_dict(text))
        return made

    def __repr__(self) -> str:
        return repr(redact(self))

    def reveal(self) -> str:
        """A plain str, for what takes no other: its repr shows everything."""
        return str.__str__(self)


def is_url(dsn: str) -> bool:
    """Whether libpq reads it as a URL; anything else is words and values."""
    return dsn.startswith(tuple(f"{scheme}://" for scheme in _SCHEMES))


def fields(dsn: str) -> dict[str, str]:
    """What libpq reads in a DSN, by its own words; a UsageError that shows none of the values."""
    _refuse_other_scheme(dsn)
    try:
        found = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"the DSN cannot be read: {_without_values(reason)}",
            hint="write it like postgresql://user@host:5432/dbname",
        ) from None
    except UnicodeError:
        raise UsageError(
            "the DSN cannot be read: it is not UTF-8", hint="write such bytes as %XX"
        ) from None
    _refuse_bare_password(dsn, found)
    remember(found)
    return found


def _refuse_other_scheme(dsn: str) -> None:
    """SQLAlchemy, JDBC and others write a scheme that libpq reads as a word without a value."""
    match = _OTHER_SCHEME.match(dsn)
    if match is None or match[1] in _SCHEMES:
        return
    written = "postgresql://" + dsn[match.end() :]
    raise UsageError(
        f"the DSN begins with {match[1]}://, which libpq does not read",
        hint=f"write {redact(mask(written))}",
    )


def _refuse_bare_password(dsn: str, found: Mapping[str, str]) -> None:
    """A password that holds / or @ as it is makes libpq read a part of it as host, port or name."""
    misread = "@" in found.get("host", "")[1:]  # at its beginning: an abstract socket
    path = dsn.partition("?")[0].partition("://")[2].partition("/")[2]
    ports = found.get("port", "").split(",")
    if not all(not one or one.strip().isdigit() for one in ports):
        misread = True
    if is_url(dsn) and (misread or ("@" in path and "user" not in found)):
        raise UsageError(
            "the DSN cannot be read: its host, port or database is none",
            hint="in a URL, write @ / : and % of a password as %40 %2F %3A and %25",
        )


def _without_values(reason: str) -> str:
    """libpq quotes what it could not read, which may be a password."""
    if reason.startswith('missing "="'):
        return "it is neither a URL nor words with their values"
    return reason.split('"')[0].rstrip(" :") if '"' in reason else reason


def with_dbname(dsn: str, name: str) -> Dsn:
    """The same DSN for another database of the same server; a URL stays a URL."""
    return replaced(dsn, dbname=name)


def replaced(dsn: str, **changed: str | None) -> Dsn:
    """The same DSN with other values of some fields, None for none; in the same form."""
    found: dict[str, str | None] = {**fields(dsn), **changed}
    kept = {key: value for key, value in found.items() if value is not None}
    text = compose(kept) if is_url(dsn) else make_conninfo(**kept)
    settled, instance = (dsn.settled, dsn.instance) if isinstance(dsn, Dsn) else (False, None)
    return Dsn(text, settled=settled, instance=instance)


def compose(found: Mapping[str, str]) -> str:
    """A URL that libpq reads as these fields; what has no place in front goes behind the `?`."""
    rest = dict(found)
    user, host, port = rest.get("user", ""), rest.get("host", ""), rest.get("port", "")
    place = ""
    if _PLAIN_HOST.fullmatch(host) and (not port or port.isdigit()):
        place = host + (f":{port}" if port else "")
        del rest["host"]
        rest.pop("port", None)
    login = ""
    if user and place:
        secret = rest.pop("password", None)
        login = quote(user, safe="") + (f":{quote(secret, safe='')}" if secret else "") + "@"
        del rest["user"]
    path = quote(rest.pop("dbname", ""), safe="")
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in rest.items())
    return f"postgresql://{login}{place}/{path}" + (f"?{query}" if query else "")


def url(host: str, port: int, user: str, password: str | None, dbname: str) -> Dsn:
    """The URL of a server of our own: every field is given, and read nowhere else."""
    found = {"user": user, "host": host, "port": str(port), "dbname": dbname}
    if password:
        found["password"] = password
    return Dsn(compose(found), settled=True)
