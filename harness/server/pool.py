"""A pool of worker processes that, left early, ends at once with all that they started."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from harness.core.interrupt import shielded
from harness.core.lifetime import end_with_parent
from harness.server.workplace import work_in, workplace


@contextmanager
def pool(
    workers: int,
    preload: Sequence[str] = (),
    begin: Callable[..., None] | None = None,
    *arguments: Any,
) -> Iterator[ProcessPoolExecutor]:
    """Worker processes, forked from a warmed server that has no threads.

    Each calls `begin` with the arguments first. An exception that leaves the block (Ctrl-C is one)
    kills them and whatever they forked.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    with workplace() as place:
        executor = _Pool(
            workers,
            mp_context=context,
            initializer=_begin,
            initargs=(str(place), begin, *arguments),
        )
        try:
            yield executor
        except BaseException:
            _kill(executor)
            raise
        executor.shutdown()


class _Pool(ProcessPoolExecutor):
    def submit(self, *arguments: Any, **named: Any) -> Future[Any]:
        with shielded():  # the first one starts the workers: a stop within would not know of them
            return super().submit(*arguments, **named)


def _begin(place: str, begin: Callable[..., None] | None, *arguments: Any) -> None:
    """A group of its own: Ctrl-C at the terminal is for the parent, and a kill for all of it."""
    with suppress(PermissionError):  # it leads a session: that is a group as well
        os.setpgid(0, 0)
    end_with_parent()
    work_in(place)
    if begin is not None:
        begin(*arguments)


def _kill(executor: ProcessPoolExecutor) -> None:
    """SIGKILL every worker and its group; their servers are the parent's to close."""
    for pid in list(executor._processes or ()):  # no public name before Python 3.14
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):  # it had no group of its own yet
            os.killpg(pid, signal.SIGKILL)
    executor.shutdown(wait=True, cancel_futures=True)
