"""How far a run came when it halts: said with the error, so that the next step is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.core.errors import HarnessError, Reached, Refused, StepFailed, Stopped
from harness.runner.context import RunContext


@contextmanager
def telling(context: RunContext, verb: str, total: int) -> Iterator[None]:
    """Add to an error that halts a begun run how many steps are done, and what comes next."""
    try:
        yield
    except HarnessError as error:
        halts = isinstance(error, StepFailed | Stopped) or (
            isinstance(error, Refused) and bool(context.begun)
        )
        if context.claimed is not None and halts:
            failed = not isinstance(error, Stopped)
            error.reached = _reached(context, verb, total, failed=failed)
        raise


def _reached(context: RunContext, verb: str, total: int, failed: bool) -> Reached:
    ended = {*context.steps_run, *context.steps_skipped}
    step = next((step for step in reversed(context.begun) if step not in ended), None)
    command = f"harness {verb}"
    if not failed:
        advice = f"`{command}` resumes"
    elif verb == "migrate":
        advice = (
            f"once it is fixed, `{command}` continues (an edited file needs --accept-edit REASON),"
            " and `harness rollback` goes back"
        )
    else:
        advice = (
            f"once it is fixed, `{command}` continues (an edited file needs --accept-edit REASON)"
        )
    return Reached(len(ended), max(total, len(ended)), step, command, advice)
