"""Under which timeouts and settings a script runs."""

from __future__ import annotations

from psycopg import sql

from harness.plan import RunnerSettings, Script
from harness.plan.search_path import schema_names
from harness.runner.settings import milliseconds


def timeouts(settings: RunnerSettings, script: Script | None) -> dict[str, str]:
    """The timeouts of a script: the plan's by its kind, or those its header asks for."""
    lock_timeout, statement_timeout = settings.lock_timeout, settings.statement_timeout
    if script is not None and script.kind == "batch":
        statement_timeout = settings.batch_statement_timeout
    if script is not None and script.kind == "concurrent":
        lock_timeout = settings.concurrent_lock_timeout
    values = {
        "lock_timeout": milliseconds(lock_timeout),
        "statement_timeout": milliseconds(statement_timeout),
    }
    for name in values if script is not None else ():
        values[name] = getattr(script, name) or values[name]
    return values


def setting_value(name: str, value: str) -> sql.Composable:
    """A setting's value as SET takes it: schemas of a search_path are a list, not one long name."""
    if name.lower() != "search_path":
        return sql.Literal(value)
    try:
        names = schema_names(value)
    except ValueError:
        return sql.Literal(value)  # the server says what is wrong with it
    return sql.SQL(", ").join(map(sql.Literal, names or ("",)))


def setting_name(name: str) -> sql.Composable:
    """A setting's name, which may have two parts, as SQL."""
    return sql.SQL(".").join(sql.Identifier(part) for part in name.split("."))
