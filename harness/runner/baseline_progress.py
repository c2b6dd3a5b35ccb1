"""How far a baseline came, kept in a schema of its own that goes with the last file."""

from __future__ import annotations

from harness.core.errors import Refused
from harness.plan import Plan, Script
from harness.runner.connection import Connection

UNFINISHED = "its baseline is unfinished"
THERE = "SELECT pg_catalog.to_regclass('migration_baseline.file') IS NOT NULL"
MAKE = """
CREATE SCHEMA migration_baseline;
COMMENT ON SCHEMA migration_baseline IS 'how far the baseline of the migration harness came';
CREATE TABLE migration_baseline.file (
  position integer PRIMARY KEY, plan text NOT NULL, path text NOT NULL, sha256 text NOT NULL)
"""


def is_unfinished(conn: Connection) -> bool:
    """Whether the database holds some files of a baseline, and lacks others."""
    row = conn.execute(THERE).fetchone()
    return bool(row and row[0])


def read(conn: Connection) -> list[tuple[str, str, str]]:
    """Plan, path and hash of the files that are in the database, in order; empty without any."""
    if not is_unfinished(conn):
        return []
    return conn.execute(
        "SELECT plan, path, sha256 FROM migration_baseline.file ORDER BY position"
    ).fetchall()


def refuse_changed(plan: Plan, done: list[tuple[str, str, str]]) -> None:
    """Refuse to go on with a baseline when the files that are in place are not the plan's."""
    files = [(plan.name, script.name, script.sha256) for script in plan.baseline]
    for number, (kept, script) in enumerate(zip(done, files, strict=False), 1):
        if kept != script:
            raise Refused(
                f"{UNFINISHED}, and file {number} of it was {kept[1]} of plan {kept[0]!r},"
                " as it was then",
                where=str(plan.root / script[1]),
                hint="drop and create the database, then run `harness baseline` again",
            )
    if len(done) >= len(files):
        raise Refused(
            f"{UNFINISHED}, and the plan has no more files than the {len(done)} that are in place",
            where=str(plan.root / "baseline"),
            hint="drop and create the database, then run `harness baseline` again",
        )


def record(conn: Connection, plan: Plan, script: Script, number: int, *, last: bool) -> None:
    """Note that a file is in place; after the last one nothing of the notes is left."""
    if last:
        conn.execute("DROP SCHEMA IF EXISTS migration_baseline CASCADE")
        return
    if number == 1:
        conn.execute(MAKE)
    conn.execute(
        "INSERT INTO migration_baseline.file (position, plan, path, sha256)"
        " VALUES (%s, %s, %s, %s)",
        [number, plan.name, script.name, script.sha256],
    )
