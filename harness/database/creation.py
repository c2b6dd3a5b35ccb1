"""How a database was made: what CREATE DATABASE decides for good, so that a copy sorts the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

_PROVIDERS: Final = {"c": "libc", "i": "icu", "b": "builtin", "d": "default"}
_MADE: Final = """
SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype, to_jsonb(d)
FROM pg_catalog.pg_database AS d WHERE datname = %s
"""
_WORDS: Final = {
    "encoding": "encoding",
    "provider": "locale provider",
    "collate": "collation",
    "ctype": "character classes",
    "locale": "locale",
    "icu_rules": "ICU rules",
}


@dataclass(frozen=True)
class Making:
    """Encoding, locale provider and locales: what can never be changed afterwards."""

    encoding: str
    provider: str
    collate: str
    ctype: str
    locale: str | None = None
    icu_rules: str | None = None

    def unlike(self, other: Making) -> tuple[str, ...]:
        """Every difference, as `encoding 'UTF8', not 'SQL_ASCII'`; this one's value comes first."""
        return tuple(
            f"{word} {getattr(self, name)!r}, not {getattr(other, name)!r}"
            for name, word in _WORDS.items()
            if _known(name, getattr(self, name)) != _known(name, getattr(other, name))
        )


def _known(name: str, value: str | None) -> str | None:
    """One spelling of what libc takes for one locale, such as en_US.UTF-8 and en_US.utf8."""
    return value.lower().replace("-", "") if value and name in ("collate", "ctype") else value


def making(conn: psycopg.Connection[Any], name: str) -> Making:
    """How the named database of this server was made."""
    row: Any = conn.execute(_MADE, [name]).fetchone()
    encoding, collate, ctype, rest = row
    return Making(
        encoding=encoding,
        provider=_PROVIDERS[rest.get("datlocprovider", "c")],
        collate=collate,
        ctype=ctype,
        locale=rest.get("datlocale") or rest.get("daticulocale"),
        icu_rules=rest.get("daticurules"),
    )


def create(
    conn: psycopg.Connection[Any], name: str, made: Making, tablespace: str | None = None
) -> None:
    """Create an empty database made in the same way. Postgres' own errors escape."""
    conn.execute(statement(name, made, tablespace))


def statement(name: str, made: Making, tablespace: str | None = None) -> sql.Composed:
    """The CREATE DATABASE of an empty database made in the same way."""
    options = sql.SQL("encoding {} lc_collate {} lc_ctype {}").format(
        made.encoding, made.collate, made.ctype
    )
    if made.locale and made.provider in ("icu", "builtin"):
        options += sql.SQL(" locale_provider {} {} {}").format(
            sql.SQL(made.provider), sql.SQL(f"{made.provider}_locale"), made.locale
        )
    else:
        options += sql.SQL(" locale_provider libc")
    if made.icu_rules:
        options += sql.SQL(" icu_rules {}").format(made.icu_rules)
    if tablespace:
        options += sql.SQL(" tablespace {}").format(sql.Identifier(tablespace))
    return sql.SQL("create database {} template template0 {}").format(sql.Identifier(name), options)
