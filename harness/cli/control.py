"""`harness control`: the operator's hand on a run at work."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from harness.cli.options import answer, dsn_option, json_option, named, unused_plan_option
from harness.cli.usage import Seconds
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.runner.control import Action, ControlOutcome


@click.command()
@dsn_option
@unused_plan_option
@json_option
@click.argument("action", type=click.Choice(["pause", "resume", "stop", "set"]))
@click.argument("settings", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "--for",
    "lasting",
    type=Seconds(),
    metavar="TIME",
    help="how long it is asked for, at most 24h; 1h if nothing is said",
)
def control(
    dsn: str | None,
    as_json: bool,
    action: Action,
    settings: tuple[str, ...],
    lasting: float | None,
) -> None:
    """Pause, resume, stop or retune the run at work; it looks between batches and steps."""
    from harness.runner import control as hand

    found = hand.control(named(dsn), action, _pairs(action, settings), lasting)
    answer(dataclasses.asdict(found), as_json, _lines(found))


def _pairs(action: str, settings: tuple[str, ...]) -> dict[str, str]:
    if bool(settings) != (action == "set"):
        said = "set needs KEY=VALUE" if action == "set" else f"{action} takes no KEY=VALUE"
        raise UsageError(said, hint="such as: harness control set batch_rows=1000")
    pairs = [text.partition("=") for text in settings]
    for key, equals, _ in pairs:
        if not equals:
            raise UsageError(f"{key!r} is not KEY=VALUE", hint="such as batch_rows=1000")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _lines(found: ControlOutcome) -> list[str]:
    at_work = "" if found.at_work else "; no runner is at work: it holds when the run is resumed"
    lines = [f"run {found.run} ({found.state}){at_work}"]
    for row in found.control:
        what = row.key if row.value == row.set_by else f"{row.key} = {row.value}"
        lines.append(f"  {what} until {row.until}, by {row.set_by}")
    return lines if found.control else [*lines, "  nothing is asked of it"]
