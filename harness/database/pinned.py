"""Settings of our sessions: whatever decides what a statement means, or how a value is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.database import limits

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

LEFT: Final = frozenset({"session_replication_role", "event_triggers"})
"""Whether triggers fire stays as users have it: a check sees what they would see."""

_STATEMENT: Final = sql.SQL(
    "SELECT pg_catalog.set_config(v.name, v.value, false) FROM (VALUES {}) AS v (name, value)"
    " WHERE pg_catalog.current_setting(v.name, true) <> v.value"
)


def pin(conn: psycopg.Connection[Any], **own: str) -> None:
    """Set what this server knows of them for the session, but for LEFT; and `own` above them."""
    values = {**PINNED, **limits.current(), **own}
    pairs = (
        sql.SQL("({}, {})").format(name, value)
        for name, value in values.items()
        if name not in LEFT
    )
    conn.execute(_STATEMENT.format(sql.SQL(", ").join(pairs)))
