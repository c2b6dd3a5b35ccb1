"""The ceiling of the runner's own memory."""

from __future__ import annotations

import psutil

from harness.core.errors import Stopped
from harness.core.quantity import size
from harness.plan import RunnerSettings


def refuse_more_memory(settings: RunnerSettings, where: str | None) -> None:
    """Raise Stopped when this process has more memory than the plan allows."""
    limit = settings.max_memory_bytes
    if not limit:
        return
    has = psutil.Process().memory_info().rss
    if has > limit:
        raise Stopped(
            f"the runner has {size(has)} of memory, and the plan allows {size(limit)}"
            " (max_memory_bytes)",
            where=where,
            hint="raise the limit, then run the same again to resume",
        )
