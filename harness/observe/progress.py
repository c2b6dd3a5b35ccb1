"""Progress on stderr: a bar for a person at a terminal, plain lines for a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from harness.plan import Plan
    from harness.runner import Event

Advance = Callable[[str, int, int], None]


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


@contextmanager
def bar(label: str, total: int) -> Iterator[Advance]:
    """Yield advance(what, done, total); it draws one bar while the block runs."""
    console = Console(stderr=True)
    with _bars(console) as progress:
        task = progress.add_task(label, total=total)

        def advance(what: str, done: int, total: int) -> None:
            progress.update(task, description=f"{label} {what}", completed=done, total=total)

        yield advance


@contextmanager
def steps(plan: Plan) -> Iterator[Callable[[Event], None]]:
    """Yield a receiver of the runner's events: a bar over the plan's steps, or a line a step."""
    console = Console(stderr=True, highlight=False)
    total = sum(len(phase.steps) for phase in plan.phases)
    with _bars(console) as progress:
        task = progress.add_task(plan.name, total=total)

        def receive(event: Event) -> None:
            progress.update(task, description=event.step or plan.name)
            if event.kind == "step_done":
                progress.advance(task)
                if not console.is_terminal:
                    console.print(f"  {event.step} done, {event.rows:,} rows")
            elif event.kind in ("retry", "takeover", "edits_accepted", "edits_none"):
                console.print(f"  {event.step or plan.name}: {event.message}")

        yield receive
