"""The process that pauses databases of PgBouncer and resumes them, whatever became of the harness.

    python -m harness.safety.pooler.keeper PAUSE_WITHIN LEASE DATABASE…

It reads a beat on standard input: when that ends, or is not heard for as long as LEASE, it resumes.
It writes two lines of JSON: how the pause went, and how the end. The console's address is in the
environment.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from select import select
from typing import Any, Final

from harness.core.errors import HarnessError
from harness.core.poll import wait_until
from harness.safety.pooler import console

PERSISTENCE: Final = 300.0
"""For how many seconds a PgBouncer that is away is asked again to resume; a restart resumes too."""
LAST: Final = b"."
"""The last beat: the harness is there, and asks for the end."""


def keep(address: str, names: Sequence[str], within: float, lease: float) -> None:
    """Pause, wait for the end, resume; each end is said on standard output."""
    begun: list[str] = []
    ended: dict[str, Any] = {}
    try:
        for name in names:
            begun.append(name)
            console.pause(address, name, within)
        _say({"state": "paused"})
        ended = {"state": "ended", "why": _wait_for_the_end(lease)}
    except HarnessError as error:
        ended = {"state": "failed", "kind": type(error).__name__}
        ended |= {"message": error.message, "hint": error.hint}
    finally:
        ended["left"] = _resume_all(address, begun)
    _say(ended)


def _wait_for_the_end(lease: float) -> str:
    """Why it is time to resume: `asked`, `gone` (the harness ended), or `silent` for too long."""
    while select([0], [], [], lease)[0]:
        heard = os.read(0, 4096)
        if not heard:
            return "gone"
        if heard.endswith(LAST):
            return "asked"
    return "silent"


def _resume_all(address: str, names: Sequence[str]) -> list[str]:
    """Resume each; those that PgBouncer was not there to resume."""
    left = list(names)

    def resumed() -> bool:
        try:
            with console.open_console(address) as conn:
                while left:
                    console.resume(conn, left[0])
                    left.pop(0)
        except HarnessError:
            return False
        return True

    try:
        wait_until(resumed, PERSISTENCE, "PgBouncer", pause=0.5)
    except TimeoutError:
        return left
    return []


def _say(document: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the harness is gone: nobody listens
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def main() -> None:
    """Keep what the arguments name; a polite signal resumes too."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    within, lease, *names = sys.argv[1:]
    keep(console.read_address(), names, float(within), float(lease))


if __name__ == "__main__":
    main()
