"""Runs in processes: a plan's are jobs of forked runners, other subjects have their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import runner
from harness.core.direction import Direction
from harness.core.errors import Stopped
from harness.crash.process_run import run_again, run_undisturbed
from harness.crash.setup import Setup
from harness.fault.process import Ending, Job, JobProcess, Tell, fork
from harness.runner.signals import stop_requested

if TYPE_CHECKING:
    from harness.plan import Plan
    from harness.runner.outcome import Event

WHY = "the exploration strikes the clean-up"
VERBS: dict[Direction, Callable[..., Any]] = {
    "forward": runner.migrate,
    "rollback": runner.rollback,
    "cleanup": partial(runner.cleanup, override_retention=WHY),
}


Last = Callable[["Event"], bool]


def job(
    ground: Setup,
    direction: Direction,
    dsn: str,
    plan: Plan | None = None,
    last: Last | None = None,
) -> Job:
    """The job of running the plan in a direction, signals taken as the command line takes them.

    It tells each of the runner's events, and its result is the runner's outcome. Behind an event
    that is the `last` it stops as after a signal, and that is its success: its result is None.
    """
    subject = plan or ground.sweeping()
    prepare = ground.load_preparation()  # not in each process that is forked

    def work(tell: Tell) -> Any:
        prepare()
        with stop_requested() as stop:
            if last is None:
                return VERBS[direction](dsn, subject, on_event=tell, stop=stop)
            return _run_until(last, tell, stop, partial(VERBS[direction], dsn, subject))

    return work


def _run_until(last: Last, tell: Tell, stop: Callable[[], bool], verb: Callable[..., Any]) -> Any:
    reached = False

    def listen(event: Event) -> None:
        nonlocal reached
        reached = reached or last(event)
        tell(event)

    try:
        return verb(on_event=listen, stop=lambda: reached or stop())
    except Stopped:
        if not reached:
            raise
        return None


def start(
    ground: Setup,
    direction: Direction,
    dsn: str,
    plan: Plan | None = None,
    *,
    close: tuple[int, ...] = (),
    last: Last | None = None,
) -> JobProcess:
    """Start a runner process; with `last` it stops behind the first such event."""
    return fork(job(ground, direction, dsn, plan, last), close=close)


def run(ground: Setup, direction: Direction, dsn: str, plan: Plan | None = None) -> Ending:
    """Run to the end in a process of its own, or go on to it from where a killed run stood."""
    if not ground.resumes:
        return run_again(ground, direction, dsn)
    with start(ground, direction, dsn, plan) as process:
        return process.wait()


def migrate_undisturbed(ground: Setup, dsn: str) -> None:
    """Migrate with the product as it is, whatever the ground plants in others.

    Raises StepFailed when the run fails.
    """
    if ground.resumes:
        runner.migrate(dsn, ground.sweeping())
    else:
        run_undisturbed(ground, "forward", dsn)
