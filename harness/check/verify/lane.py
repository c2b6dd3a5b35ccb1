"""Work on one connection while this thread works on another: a server has more than one core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg

Answer = TypeVar("Answer")


@contextmanager
def beside(conn: psycopg.Connection[Any], work: Callable[[], Answer]) -> Iterator[Future[Answer]]:
    """Do `work`, which asks `conn`, in a thread of its own until the block ends.

    When the block fails nobody wants the answer any more: what `conn` is asked is cancelled.
    """
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(work)
        try:
            yield answer
        except BaseException:
            with suppress(psycopg.Error):
                conn.cancel()
            raise
