"""Children that do not outlive us: a program we run ends when we are killed."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def dies_with_us() -> Callable[[], object] | None:
    """What a child runs first, as `preexec_fn`: the kernel kills it when the thread that started it
    ends. None where the kernel cannot.
    """
    if _LIBC is None:
        return None
    libc = _LIBC
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
