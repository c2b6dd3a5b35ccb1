"""The settings of our sessions: whatever decides what a statement means, or how a value is written.

They are set again in each message that begins something, so that a session which a script has just
ended, and its successor, need no message of their own for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from psycopg import sql

from harness.database import limits
from harness.plan import RunnerSettings

PINNED: Final[Mapping[str, str]] = {
    "search_path": "",
    "timezone": "UTC",
    "timezone_abbreviations": "Default",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "xmloption": "content",
    "standard_conforming_strings": "on",
    "escape_string_warning": "on",
    "backslash_quote": "safe_encoding",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    "gin_fuzzy_search_limit": "0",
    "synchronize_seqscans": "off",
    "check_function_bodies": "on",
    "plpgsql.check_asserts": "on",
    "plpgsql.extra_errors": "none",
    "plpgsql.extra_warnings": "none",
    "plpgsql.print_strict_params": "off",
    "plpgsql.variable_conflict": "error",
    "default_table_access_method": "heap",
    "default_tablespace": "",
    "temp_tablespaces": "",
    "default_toast_compression": "pglz",
    "createrole_self_grant": "",
    "icu_validation_level": "warning",
    "restrict_nonsystem_relation_kind": "",
    "session_replication_role": "origin",
    "event_triggers": "on",
    "row_security": "off",
    "exit_on_error": "off",
    "client_min_messages": "warning",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "jit": "off",
    **limits.NONE,
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
"""What a database or a role may have set otherwise. Left as they are: an application's own settings
(app.region), role, default_text_search_config, password_encryption, and what only costs time."""

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
