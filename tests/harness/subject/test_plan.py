"""A plan of ours as a subject: its processes run it, its position says where they came to."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path

from harness.core.direction import DIRECTIONS, Direction
from harness.database import admin, fingerprint
from harness.subject.plan import PlanSubject
from harness.subject.protocol import Invocation, Position, Subject
from tests.harness.support.runner import SmallPlan


def subject_of(root: Path) -> Subject:
    return PlanSubject(SmallPlan(root).load())


def run(invocation: Invocation) -> None:
    subprocess.run(
        invocation.argv,
        env=dict(invocation.environment),
        cwd=invocation.cwd,
        timeout=invocation.limit,
        check=True,
        capture_output=True,
    )


def position(subject: Subject, dsn: str) -> Position | None:
    with admin.connection(dsn) as conn:
        conn.execute("set search_path = ''")
        return subject.position(conn)


def test_processes_run_a_plan_there_and_back(tmp_path: Path, harness_empty_database: str) -> None:
    subject = subject_of(tmp_path)
    subject.prepare(harness_empty_database)
    before = fingerprint.take(harness_empty_database, workers=1)
    begun = position(subject, harness_empty_database)
    run(subject.invocation("forward", harness_empty_database))
    there = position(subject, harness_empty_database)
    assert fingerprint.take(harness_empty_database, workers=1) != before
    run(subject.invocation("rollback", harness_empty_database))
    assert fingerprint.take(harness_empty_database, workers=1) == before
    assert len({begun, there, position(subject, harness_empty_database)}) == 3


def test_a_password_stands_in_no_argument(tmp_path: Path) -> None:
    subject = subject_of(tmp_path)
    for direction in DIRECTIONS:
        invocation = subject.invocation(direction, "postgresql://u:secret@h/d")
        assert "secret" not in " ".join(invocation.argv)


def test_equal_positions_may_have_other_words() -> None:
    assert Position((1,), "one step") == Position((1,), "a step")


def test_a_subject_is_pickled(tmp_path: Path) -> None:
    subject = subject_of(tmp_path)
    copy: Subject = pickle.loads(pickle.dumps(subject))  # noqa: S301 - our own
    direction: Direction = "forward"
    assert copy.invocation(direction, "") == subject.invocation(direction, "")
    assert (copy.name, copy.hash, copy.revisions) == (
        subject.name,
        subject.hash,
        subject.revisions,
    )
