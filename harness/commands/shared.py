"""What commands share: the options that all of them take, and how they answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from harness.errors import UsageError

PLAN = "sql/plan.toml"

dsn_option = click.option(
    "--dsn",
    envvar="HARNESS_DSN",
    show_envvar=True,
    help="the database, as a libpq URL or connection string",
)
plan_option = click.option(
    "--plan",
    "plan_path",
    envvar="HARNESS_PLAN",
    show_envvar=True,
    default=PLAN,
    show_default=True,
    type=click.Path(path_type=Path),
    help="the plan to run",
)
unused_plan_option = click.option(
    "--plan", expose_value=False, help="taken like everywhere; this command needs none"
)
json_option = click.option("--json", "as_json", is_flag=True, help="one JSON document on stdout")


def database_command(function: Callable[..., Any]) -> click.Command:
    """A command on a named database with a plan: --dsn, --plan, --json."""
    return click.command()(dsn_option(plan_option(json_option(function))))


def named(dsn: str | None) -> str:
    """The DSN, or a usage error: no database is touched that was not named."""
    if not dsn:
        raise UsageError("no database is named", hint="give --dsn or set HARNESS_DSN")
    import psycopg

    try:
        fields = psycopg.conninfo.conninfo_to_dict(dsn)
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"the DSN cannot be read: {_without_values(reason)}",
            hint="write it like postgresql://user@host:5432/dbname",
        ) from None
    if not fields.get("dbname"):
        raise UsageError("the DSN names no database", hint="add /dbname to it")
    return dsn


def _without_values(reason: str) -> str:
    """libpq quotes what it could not read, which may be a password."""
    return reason.split('"')[0].rstrip() if '"' in reason else reason


def answer(document: dict[str, Any], as_json: bool, lines: list[str]) -> None:
    """Print the result: one JSON document, or lines for a person."""
    if as_json:
        click.echo(json.dumps(document, default=str))
    else:
        for line in lines:
            click.echo(line)
