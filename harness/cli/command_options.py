"""The options that name a subject of kind command, and the subject that they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.subject.command import CommandSubject

_NAMES = ("up", "down", "probe", "unlock", "baseline", "bookkeeping", "trust_command")
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
        "--trust-command",
        is_flag=True,
        help="run it though nothing here would keep it from another database",
    ),
)


def command_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that name a subject of kind command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def take_command(choices: dict[str, Any]) -> tuple[CommandSubject | None, tuple[str, ...]]:
    """Take the options of a command out of `choices`: its subject, and the words that name it.

    None where there is none of them. Raises UsageError for options that do not go together.
    """
    given = {name: choices.pop(name) for name in _NAMES}
    named = [name for name in _NAMES if given[name] not in (None, False, ())]
    if given["up"] is None:
        others = [name for name in named if name != "trust_command"]
        if others:
            hint = "name the command that migrates, or write all of them into the project file"
            raise UsageError(f"{_option(others[0])} goes with --up", hint=hint)
        return None, ()
    # a plan that the environment names is what is taken where nothing else is said
    if click.get_current_context().get_parameter_source("plan_path") is ParameterSource.COMMANDLINE:
        raise UsageError("--up and --plan name two subjects", hint="leave one of them out")
    return make_subject(given), tuple(_words(given, named))


def make_subject(given: Mapping[str, Any]) -> CommandSubject:
    """The commands that the options name; what these leave out is as in a project of commands."""
    from harness.subject.choice import catalog_rows, seeder_of
    from harness.subject.command import CommandSubject
    from harness.subject.project import find_project

    project = find_project()
    told = project.command if project else None
    baseline = tuple(path.resolve() for path in given["baseline"])
    made = CommandSubject(
        up=given["up"],
        down=given["down"] or (told.down if told else None),
        probe=given["probe"] or (told.probe if told else None),
        unlock=given["unlock"] or (told.unlock if told else None),
        baseline=baseline or (told.baseline if told else ()),
        root=Path.cwd(),
        own_tables=given["bookkeeping"] or (told.bookkeeping if told else ()),
        trusted=given["trust_command"],
        seeder=seeder_of(None, project) if told else catalog_rows(),
    )
    made.refuse_unrunnable()
    return made


def _words(given: Mapping[str, Any], named: list[str]) -> list[str]:
    words: list[str] = []
    for name in named:
        value = given[name]
        if value is True:
            words.append(_option(name))
            continue
        for each in value if isinstance(value, tuple) else (value,):
            words += [_option(name), str(each)]
    return words


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
