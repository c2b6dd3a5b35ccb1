"""Struck at a sample of its messages, and at commits in the log, the command goes on and back.

The whole exploration is `harness crash --points all`; the fault of a failure is struck again by the
line that it prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.direction import Direction
from harness.crash import explore
from harness.crash.settings import CrashSettings
from harness.crash.summary import words
from harness.report import evidence
from harness.subject.protocol import Subject, has_direction

if TYPE_CHECKING:
    from harness.server import Server

ROWS = 200
SAMPLE = 3  # points in each direction, besides commits: each starts the command three times
DIRECTIONS: tuple[Direction, ...] = ("forward", "rollback")


def test_every_commit_and_a_sample_of_messages(
    harness_server: Server, harness_subject: Subject, harness_seed: int, harness_rows: int
) -> None:
    capable = harness_server.capabilities
    logs = capable.can_kill and capable.local_files
    directions = tuple(way for way in DIRECTIONS if has_direction(harness_subject, way))
    settings = CrashSettings(
        subject=harness_subject,
        rows=min(ROWS, harness_rows),
        seed=harness_seed,
        points=SAMPLE * len(directions),
        boundaries=True,
        domains=("wire", "wal") if logs else ("wire",),
        directions=directions,
        workers=2,
        build=None,
    )
    document = explore.run_on(harness_server, settings, harness_subject)
    evidence.keep("crash", document)
    assert document.verdict == "pass", "\n".join(words(document))
    assert document.fired == document.points > 0
