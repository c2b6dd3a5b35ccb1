"""What stands in a database beside its schema, as the subject's object names it: SQL files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg

from harness.core.errors import Refused
from harness.database import admin
from harness.subject.choice import particulars_of
from harness.subject.plan import PlanSubject
from harness.subject.project import find_project
from harness.subject.protocol import Subject

HINT = "an overlay is applied to the database before the migration: correct the file"


def overlay_files(subject: Subject) -> tuple[Path, ...]:
    """The files of the subject's overlay in the order of their names; empty where it has none."""
    project = find_project()
    plan = subject.plan.name if isinstance(subject, PlanSubject) else None
    named = particulars_of(plan, project).overlay
    if named is None or project is None:
        return ()
    return tuple(sorted((project.root / named).glob("*.sql")))


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
