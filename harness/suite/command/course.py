"""A command that is run to its end, and the state that it leaves."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.direction import Direction
from harness.crash.process_run import run_undisturbed
from harness.crash.setup import Setup
from harness.database import admin, fingerprint
from harness.subject.protocol import Position, Subject


@dataclass(frozen=True)
class CourseState:
    """A database without the tool's own accounts, and how far it has come by these."""

    identity: fingerprint.Fingerprint
    position: Position | None


def run(subject: Subject, direction: Direction, dsn: str) -> None:
    """Run it to its end. Raises StepFailed with what the server or the process said against it."""
    run_undisturbed(Setup(subject=subject, rows=0, seed=1, limit=subject.limit), direction, dsn)


def state(subject: Subject, dsn: str) -> CourseState:
    """What a database is now."""
    with admin.connection(dsn) as conn:
        position = subject.position(conn)
    return CourseState(fingerprint.take(dsn, workers=1, exclude=subject.bookkeeping), position)


def differences(before: CourseState, after: CourseState) -> list[str]:
    """What differs between two states, in words."""
    found = [
        f"{one.kind} {one.object}: {one.attribute} {one.before!r} -> {one.after!r}"[:300]
        for one in fingerprint.compare(before.identity, after.identity)
    ]
    if before.position != after.position:
        was, now = (one.words if one else "unknown" for one in (before.position, after.position))
        found.append(f"by its own account it was at {was!r} and is at {now!r}")
    return found
