"""DSNs: made for our servers, and masked for every eye."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

_URL_USERINFO: Final = re.compile(r"(\w+://[^:/?#\s@]*):(?:[^\s/?#]*)@")
_URL_PARAMETER: Final = re.compile(r"([?&](?:ssl)?password=)[^&\s#]*", re.IGNORECASE)
_KEYWORD: Final = re.compile(
    r"(\b(?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'?|(?:\\.|[^\s'&\\])+)", re.IGNORECASE
)


def mask(dsn: str) -> str:
    """The same DSN (or a text that contains one) with every password replaced by `***`."""
    masked = _URL_USERINFO.sub(r"\1:***@", dsn)
    masked = _URL_PARAMETER.sub(r"\1***", masked)
    return _KEYWORD.sub(r"\1***", masked)


def url(host: str, port: int, user: str, password: str | None, dbname: str) -> str:
    """A libpq URL; every part is quoted."""
    secret = f":{quote(password, safe='')}" if password else ""
    return f"postgresql://{quote(user, safe='')}{secret}@{host}:{port}/{quote(dbname, safe='')}"


def answers(dsn: str, timeout: int = 5) -> int | None:
    """The server's version number when it answers a query, else None."""
    try:
        with psycopg.connect(make_conninfo(dsn, connect_timeout=timeout), autocommit=True) as conn:
            conn.execute("select 1")
            return conn.info.server_version
    except psycopg.OperationalError:
        return None
