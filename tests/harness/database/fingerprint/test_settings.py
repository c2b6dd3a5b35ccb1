"""No setting that a database can have changes its fingerprint: each is set to other values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
import pytest
from psycopg import sql

from harness.database import admin, fingerprint, template
from harness.database.fingerprint import Fingerprint
from harness.server import Server

SETUP: Final = (Path(__file__).parent / "flips" / "setup.sql").read_text()
NEVER: Final = {
    "role": "says who connects, and so what may be read",
    "session_authorization": "as role",
    "local_preload_libraries": "a library that is not there lets nobody connect",
    "session_preload_libraries": "as local_preload_libraries",
    "seed": "no database can have it",
    "is_superuser": "cannot be set",
    "transaction_isolation": "holds for one transaction",
    "transaction_read_only": "as transaction_isolation",
    "transaction_deferrable": "as transaction_isolation",
    "lc_messages": "the messages of tests are English",
}
"""Settings that are not tried, and why."""
TEXTS: Final = {
    "client_encoding": ("LATIN1", "SQL_ASCII"),
    "DateStyle": ("German, DMY", "Postgres, MDY"),
    "TimeZone": ("Asia/Kathmandu", "America/St_Johns"),
    "timezone_abbreviations": ("Australia", "India"),
    "search_path": ("app, pg_catalog", "pg_catalog, app"),
    "lc_monetary": ("C.UTF-8", "POSIX"),
    "lc_numeric": ("C.UTF-8", "POSIX"),
    "lc_time": ("C.UTF-8", "POSIX"),
    "default_text_search_config": ("english", "german"),
    "application_name": ("a", "b"),
    "restrict_nonsystem_relation_kind": ("view", "foreign-table, view"),
    "default_table_access_method": ("app_heap", "heap"),
}
"""Values of settings that are no number, switch or choice."""


class Setting(NamedTuple):
    """One setting and a value for it."""

    name: str
    value: str


@pytest.fixture(scope="module")
def everything(harness_server: Server) -> str:
    return template.ensure(harness_server.dsn(), f"flips {SETUP}", lambda dsn: _execute(dsn, SETUP))


def _execute(dsn: str, statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statements.encode())


@pytest.mark.parametrize("place", [0, 1], ids=["one value", "another value"])
def test_no_setting_of_a_database_changes_its_fingerprint(
    everything: str, harness_clone: Callable[[str], str], place: int
) -> None:
    dsn = harness_clone(everything)
    before = fingerprint.take(dsn)
    settings = [
        Setting(name, values[place % len(values)]) for name, values in possible(dsn).items()
    ]
    assert len(settings) > 120
    refused = set_all(dsn, settings)
    assert len(refused) < 10, refused
    assert disturbing(dsn, before, settings) == []


def possible(dsn: str) -> dict[str, Sequence[str]]:
    """Every setting that a database can have, with two values that are not the present one."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(
            "select name, vartype, setting, min_val::numeric, max_val::numeric, enumvals"
            " from pg_settings where context in ('user', 'superuser') order by name"
        ).fetchall()
    found = {row[0]: _values(*row) for row in rows if row[0] not in NEVER}
    return {name: values for name, values in found.items() if values}


def _values(
    name: str, kind: str, now: str, least: float, most: float, words: list[str]
) -> Sequence[str]:
    if name in TEXTS:
        return TEXTS[name]
    if kind == "bool":
        return ("off",) if now == "on" else ("on",)
    if kind == "enum":
        return [word for word in words if word != now][:2]
    if kind in ("integer", "real"):
        number = float(now)
        chosen = (min(float(most), number * 2 + 1000), max(float(least), number // 2))
        return [str(int(value) if kind == "integer" else value) for value in chosen]
    return ()


def set_all(dsn: str, settings: Sequence[Setting]) -> list[str]:
    """Give the database these settings and no other; the names of those that it refuses."""
    name, refused = sql.Identifier(admin.dbname(dsn)), []
    with admin.connection(admin.with_dbname(dsn, "postgres")) as conn:
        conn.execute(sql.SQL("alter database {} reset all").format(name))
        for setting in settings:
            parts = (sql.Literal(part.strip()) for part in setting.value.split(","))
            value = sql.SQL(", ").join(parts)
            statement = sql.SQL("alter database {} set {} to {}")
            try:
                conn.execute(statement.format(name, sql.Identifier(setting.name), value))
            except psycopg.Error:
                refused.append(setting.name)
    return refused


def disturbing(dsn: str, before: Fingerprint, settings: Sequence[Setting]) -> list[Setting]:
    """The settings that change the fingerprint, or let none be taken; by halving."""
    set_all(dsn, settings)
    try:
        if fingerprint.take(dsn) == before:
            return []
    except Exception:
        if len(settings) == 1:
            raise
    if len(settings) == 1:
        return list(settings)
    half = len(settings) // 2
    return disturbing(dsn, before, settings[:half]) + disturbing(dsn, before, settings[half:])
