"""A database whose index was left half built: what a run must mend that is struck itself."""

from __future__ import annotations

from harness.crash.domain.pinned.moments import LEFT
from harness.crash.domain.pinned.strike import HeldRun
from harness.crash.model import Point
from harness.crash.run.cursor import RunCursor
from harness.crash.setup import Setup
from harness.crash.state import settle
from harness.database import admin
from harness.server import Server


def half_built(ground: Setup, server: Server, step: str, cursor: RunCursor) -> str:
    """Build a step's index until it could be validated, and end the backend there; the DSN.

    The run is the product's own, whatever the ground plants. PinMissed when it does not come there.
    That the index is half built is seen again at each moment that is held on it.
    """
    cursor.to(step)
    dsn = cursor.clone()
    point = Point("pinned", "forward", step, LEFT, "terminate")
    victim = HeldRun(ground.undisturbed(), server, point, dsn)
    try:
        victim.arrange()
        victim.strike()
        victim.let_go()
    finally:
        victim.leave()
    settle(server.dsn(), admin.dbname(dsn))
    return dsn
