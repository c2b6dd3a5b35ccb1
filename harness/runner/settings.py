"""The settings of our sessions: whatever decides what a statement means, or how a value is written.

They are set again in each message that begins something, so that a session which a script has just
ended, and its successor, need no message of their own for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from psycopg import sql

from harness.database.pinned import PINNED
from harness.plan import RunnerSettings

NEVER_OFF: Final = {"synchronous_commit": "on"}
"""Set only where it is off: a commit that we were told of would not survive the server's crash."""


def milliseconds(seconds: float) -> str:
    """A duration as Postgres takes it."""
    return f"{round(seconds * 1000)}ms"


def pinned(settings: RunnerSettings) -> dict[str, str]:
    """The settings of every session of a runner."""
    return {
        **PINNED,
        "lock_timeout": milliseconds(settings.lock_timeout),
        "idle_in_transaction_session_timeout": milliseconds(settings.idle_in_transaction),
    }


def variables(values: Mapping[str, str], run_id: int) -> dict[str, str]:
    """The settings by which a script knows the plan's variables and its run."""
    return {f"harness.{name}": value for name, value in {**values, "run_id": str(run_id)}.items()}


def set_sql(
    known: Mapping[str, str], own: Mapping[str, str] | None = None, *, local: bool = False
) -> sql.Composed:
    """One SELECT that sets those of `known` that this server knows, and all of `own`.

    Its row ends with the server process that did it. Nothing is set that has the value already: a
    setting that only a superuser may change is then nobody's business.
    """
    pairs = {name: (value, False, False) for name, value in known.items()}
    pairs |= {name: (value, False, True) for name, value in NEVER_OFF.items()}
    pairs |= {name: (value, True, False) for name, value in (own or {}).items()}
    rows = sql.SQL(", ").join(
        sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, (name, *rest))))
        for name, rest in pairs.items()
    )
    return sql.SQL(
        "SELECT pg_catalog.count(pg_catalog.set_config(v.name, v.value, {})),"
        " pg_catalog.pg_backend_pid()"
        " FROM (VALUES {}) AS v (name, value, own, unless_on)"
        " WHERE v.own OR CASE WHEN v.unless_on"
        " THEN pg_catalog.current_setting(v.name) = 'off'"
        " ELSE pg_catalog.current_setting(v.name, true) <> v.value END;"
    ).format(sql.Literal(local), rows)
