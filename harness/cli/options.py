"""What commands share: the options that all of them take, and how they answer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from harness.core.errors import UsageError


def _chosen_plan(context: click.Context, _option: click.Parameter, given: Path | None) -> Path:
    """The plan that is named, or that of the project, as a path from the working directory."""
    if given is not None or context.resilient_parsing:
        return given or Path()
    from harness.subject.choice import default_plan

    return Path(os.path.relpath(default_plan()))


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
    callback=_chosen_plan,
    type=click.Path(path_type=Path),
    help="the plan to run, if not that of the project",
)
named_plan_option = click.option(
    "--plan",
    "plan_path",
    envvar="HARNESS_PLAN",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="the plan, if not the subject of the project",
)
window_option = click.option(
    "--window",
    "window_file",
    envvar="HARNESS_WINDOW",
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="the window's file, if not window.toml beside the plan",
)
unused_plan_option = click.option(
    "--plan", expose_value=False, help="taken like everywhere; this command needs none"
)
accept_edit_option = click.option(
    "--accept-edit",
    metavar="REASON",
    help="recorded: why it goes on though files of steps changed that committed nothing",
)
json_option = click.option("--json", "as_json", is_flag=True, help="one JSON document on stdout")


def database_command(function: Callable[..., Any]) -> click.Command:
    """A command on a named database with a plan: --dsn, --plan, --json."""
    return click.command()(dsn_option(plan_option(json_option(function))))


def named(dsn: str | None) -> str:
    """The DSN, settled on the server that it leads to; a usage error where none names a database.

    From here on the shell's variables of libpq are gone: the DSN holds what they said.
    """
    if not dsn:
        raise UsageError("no database is named", hint="give --dsn or set HARNESS_DSN")
    from harness.server import settle, shell

    settled = settle(dsn)
    shell.take()
    return settled


def answer(document: Any, as_json: bool, lines: list[str]) -> None:
    """Print the result: one JSON document, or lines for a person."""
    if as_json:
        from harness.document.base import spell_value

        click.echo(json.dumps(document, default=spell_value))
    else:
        for line in lines:
            click.echo(line)
