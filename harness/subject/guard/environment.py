"""The environment of a foreign command: what of ours would lead it to a database is taken out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from harness.server.dsn import fields

_NAMES: Final = re.compile(
    r"PG.*|.*(_|^)(URL|URI|DSN|JDBC|DBSTRING|CONNECTION_?STRING|CONN_STR|DB|DATABASE|DATABASES)"
    r"(_.*|$)|.*(POSTGRES|SQLALCHEMY|SUPABASE|PGBOUNCER).*|HARNESS_.*|FLYWAY_.*|LIQUIBASE_.*"
    r"|.*(PASSWORD|PASSWD|PASSPHRASE)(_.*|$)",
    re.IGNORECASE,
)
_VALUES: Final = re.compile(
    r"\b(jdbc:|postgres|postgis|pgsql|psql|cockroach|redshift|mysql|mariadb|mssql|oracle)[\w+]*:"
    r"|://[^/\s]*@"  # whatever it is, it logs in there
    r"|\b(host|hostaddr|dbname|service|servicefile|passfile)\s*=",
    re.IGNORECASE,
)
_NOWHERE: Final = "/dev/null/none"  # a file that there cannot be; libpq says nothing of it


def cleaned(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy without the variables that name a database, or whose values do."""
    return {name: text for name, text in environment.items() if not leads_elsewhere(name, text)}


def leads_elsewhere(name: str, text: str) -> bool:
    """Whether a variable may name a database, a server or a password, by its name or its value."""
    return bool(_NAMES.fullmatch(name) or _VALUES.search(text))


def removed(environment: Mapping[str, str]) -> list[str]:
    """The names of the variables that `cleaned` leaves out."""
    return sorted(environment.keys() - cleaned(environment).keys())


def connecting(dsn: str) -> dict[str, str]:
    """The variables that lead a command to a database: DATABASE_URL, and libpq's own.

    A password, where the DSN has one, is in these alone.
    """
    found = fields(dsn)
    variables = {
        "DATABASE_URL": url(dsn, password=found.get("password")),
        "PGHOST": found.get("host", "127.0.0.1"),
        "PGPORT": found.get("port", "5432"),
        "PGUSER": found.get("user", "postgres"),
        "PGDATABASE": found.get("dbname", "postgres"),
        "PGSSLMODE": "disable",
        "PGGSSENCMODE": "disable",
        # or the files in the home directory would be read
        "PGPASSFILE": _NOWHERE,
        "PGSERVICEFILE": _NOWHERE,
        "PGSYSCONFDIR": _NOWHERE,
    }
    if "password" in found:
        variables["PGPASSWORD"] = found["password"]
    return variables


def url(dsn: str, password: str | None = None) -> str:
    """A DSN as the plainest URL that every tool reads."""
    found = fields(dsn)
    secret = f":{quote(password, safe='')}" if password else ""
    user = quote(found.get("user", "postgres"), safe="")
    host, port = found.get("host", "127.0.0.1"), found.get("port", "5432")
    name = quote(found.get("dbname", "postgres"), safe="")
    return f"postgresql://{user}{secret}@{host}:{port}/{name}"
