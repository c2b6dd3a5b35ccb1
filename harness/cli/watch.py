"""`harness watch`: a live view of a run, from another terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import dsn_option, named, plan_option
from harness.cli.usage import Seconds

if TYPE_CHECKING:
    from harness.observe.run_standing import RunStanding
    from harness.plan import Plan

IDLE_LOOKS = 3
"""So many looks in a row find no runner at work: a runner that connects again is not missed."""


@click.command()
@dsn_option
@plan_option
@click.option("--every", type=Seconds(), default="1s", metavar="TIME", help="between two looks")
def watch(dsn: str | None, plan_path: Path, every: float) -> None:
    """Look at the run until it ends, or nobody is at work on it; nothing is written."""
    from harness import plan
    from harness.observe.progress import at_terminal

    loaded = plan.load(plan_path)
    show = _redrawn if at_terminal() and sys.stdout.isatty() else _printed
    show(named(dsn), loaded, every)


def _looks(
    dsn: str, plan: Plan, every: float, show: Callable[[list[str]], None], width: int
) -> None:
    from harness.observe.run_standing import WorkRate, block
    from harness.runner.watching import look, watching

    rate, idle = WorkRate(), 0
    with watching(dsn) as conn:
        while True:
            view = look(conn, plan)
            if view.step is not None:
                working = view.at_work and not view.held
                rate.at(view.step.name, time.monotonic(), view.step.rows, working=working)
            idle = 0 if view.at_work else idle + 1
            show(block(view, rate, width))
            if _ended(view) or idle >= IDLE_LOOKS:
                return
            time.sleep(every)


def _ended(view: RunStanding) -> bool:
    return view.run is None or view.completed


def _printed(dsn: str, plan: Plan, every: float) -> None:
    """Plain lines, and only when something has changed."""
    before: list[str] = []

    def show(lines: list[str]) -> None:
        nonlocal before
        if lines != before:
            click.echo("\n".join(lines))
        before = lines

    _looks(dsn, plan, every, show, 200)


def _redrawn(dsn: str, plan: Plan, every: float) -> None:
    """One block, redrawn in its place."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False) as live:

        def show(lines: list[str]) -> None:
            rows = lines[: max(console.height - 1, 1)]
            text = Text("\n".join(rows), no_wrap=True, overflow="crop")
            live.update(text, refresh=True)

        _looks(dsn, plan, every, show, max(console.width - 1, 10))
