"""The options that name a subject of kind command, and the subject that they make."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from harness.cli.usage import Seconds
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.subject.command import CommandSubject
    from harness.subject.protocol import Subject


@dataclass(frozen=True)
class CommandOptions:
    """What the options said; `up` is None where no command is named."""

    up: str | None = None
    down: str | None = None
    probe: str | None = None
    unlock: str | None = None
    baseline: tuple[Path, ...] = ()
    bookkeeping: tuple[str, ...] = ()
    limit: float | None = None
    trust_command: bool = False


_NAMES = tuple(field.name for field in fields(CommandOptions))
trust_option = click.option(
    "--trust-command",
    is_flag=True,
    help="run a command though nothing here would keep it from another database",
)
_OPTIONS = (
    click.option("--up", metavar="CMD", help="strike this command in place of a plan: it migrates"),
    click.option("--down", metavar="CMD", help="with --up: the command that goes back"),
    click.option(
        "--probe", metavar="CMD", help="with --up: one that only reads, and shows where it connects"
    ),
    click.option(
        "--unlock", metavar="CMD", help="with --up: one that removes the lock of a killed run"
    ),
    click.option(
        "--baseline",
        metavar="FILE",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="with --up: SQL of the schema before; may be given again",
    ),
    click.option(
        "--bookkeeping",
        metavar="TABLE",
        multiple=True,
        help="with --up: schema.table of the tool's own, if it is not known by name",
    ),
    click.option(
        "--limit",
        type=Seconds(),
        metavar="TIME",
        help="with --up: how long a run may take, such as 10min; 120s if nothing is said",
    ),
    trust_option,
)


def command_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a subject of kind command, as one parameter `command`."""

    @wraps(function)
    def bundled(*arguments: Any, **named: Any) -> Any:
        given = CommandOptions(**{name: named.pop(name) for name in _NAMES})
        return function(*arguments, command=given, **named)

    made: Callable[..., Any] = bundled
    for option in reversed(_OPTIONS):
        made = option(made)
    return made


def named_command(given: CommandOptions) -> tuple[CommandSubject | None, tuple[str, ...]]:
    """The subject that the options name, or None, and the words that name it again.

    Raises UsageError for options that do not go together.
    """
    named = [name for name in _NAMES if getattr(given, name) not in (None, False, ())]
    if given.up is None:
        others = [name for name in named if name != "trust_command"]
        if others:
            hint = "name the command that migrates, or write all of them into the project file"
            raise UsageError(f"{_option(others[0])} goes with --up", hint=hint)
        return None, ()
    # a plan that the environment names is what is taken where nothing else is said
    if click.get_current_context().get_parameter_source("plan_path") is ParameterSource.COMMANDLINE:
        raise UsageError("--up and --plan name two subjects", hint="leave one of them out")
    return make_subject(given, given.up), tuple(_words(given, named))


def make_subject(given: CommandOptions, up: str) -> CommandSubject:
    """The commands that the options name; what these leave out is as in a project of commands."""
    from harness.subject.choice import catalog_rows, seeder_of
    from harness.subject.command import CommandSubject
    from harness.subject.project import CommandSettings, find_project
    from harness.subject.protocol import LIMIT

    project = find_project()
    told = project.command if project else None
    rest = told or CommandSettings(up)
    made = CommandSubject(
        up=up,
        down=given.down or rest.down,
        probe=given.probe or rest.probe,
        unlock=given.unlock or rest.unlock,
        baseline=tuple(path.resolve() for path in given.baseline) or rest.baseline,
        root=Path.cwd(),
        own_tables=given.bookkeeping or rest.bookkeeping,
        trusted=given.trust_command,
        limit=given.limit or rest.limit or LIMIT,
        seeder=seeder_of(None, project) if told else catalog_rows(),
    )
    made.refuse_unrunnable()
    return made


def chosen_subject(plan_path: Path | None, *, trusted: bool) -> Path | Subject:
    """The plan that is named, or the subject of the project: the file of its plan, or another."""
    from harness.subject.choice import default_plan, foreign_subject
    from harness.subject.project import current_project

    if plan_path is not None:
        return plan_path
    project = current_project()
    if project.kind != "plan":
        return foreign_subject(project, trusted=trusted)
    return Path(os.path.relpath(default_plan()))


def _words(given: CommandOptions, named: list[str]) -> list[str]:
    words: list[str] = []
    for name in named:
        value = getattr(given, name)
        if value is True:
            words.append(_option(name))
            continue
        for each in value if isinstance(value, tuple) else (value,):
            words += [_option(name), str(each)]
    return words


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
