"""What stands in a database beside its schema, as the subject's object names it: SQL files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg

from harness.core.errors import Refused
from harness.database import admin
from harness.subject.choice import particulars_of
from harness.subject.particulars import Particulars
from harness.subject.plan import PlanSubject
from harness.subject.project import Project, find_project
from harness.subject.protocol import Subject

HINT = "an overlay is applied to the database before the migration: correct the file"


def overlay_files(subject: Subject) -> tuple[Path, ...]:
    """The files of the subject's overlay in the order of their names; empty where it has none."""
    project = find_project()
    named = _particulars(subject, project).overlay
    if named is None or project is None:
        return ()
    return tuple(sorted((project.root / named).glob("*.sql")))


def artifact_paths(subject: Subject) -> tuple[Path, ...]:
    """The files and directories that name the subject's schema from outside, as its object says."""
    project = find_project()
    if project is None:
        return ()
    return tuple(project.root / one for one in _particulars(subject, project).artifacts)


def _particulars(subject: Subject, project: Project | None) -> Particulars:
    plan = subject.plan.name if isinstance(subject, PlanSubject) else None
    return particulars_of(plan, project)


def apply_overlay(dsn: str, files: Sequence[Path]) -> None:
    """Apply each file in a transaction of its own. Raises Refused with file and line."""
    if not files:
        return
    with admin.connection(dsn) as conn:
        admin.writable(conn)
        for file in files:
            try:
                text = file.read_bytes().decode("utf-8")
                conn.execute(text.encode())
                conn.execute("reset all")
            except (OSError, UnicodeDecodeError) as error:
                raise Refused(f"cannot be read: {error}", where=str(file), hint=HINT) from error
            except psycopg.Error as error:
                raise Refused(
                    f"{error.diag.message_primary or error} ({error.sqlstate})",
                    where=f"{file}:{_line(text, error)}",
                    hint=HINT,
                ) from error


def _line(text: str, error: psycopg.Error) -> int:
    place = error.diag.statement_position
    return text.count("\n", 0, int(place) - 1) + 1 if place else 1
