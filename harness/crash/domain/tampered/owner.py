"""A role that owns the database and is no superuser: a run by it can lack something.

Where only a superuser can run the plan there is nothing that can be taken from the run.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from harness.core.direction import Direction
from harness.core.errors import HarnessError
from harness.crash.run.cursor import RunCursor, Scene
from harness.crash.setup import Setup
from harness.crash.state import Oracle
from harness.database import admin
from harness.database.fingerprint import Fingerprint
from harness.runner import migrate

OWNER, THIEF, PASSWORD = "harness_owner", "harness_thief", "of this server alone"


@dataclass(frozen=True)
class Owned:
    """A walk of the owning role, and the same server as its superuser sees it."""

    scene: Scene
    super_dsn: str

    def above(self, dsn: str) -> str:
        """The superuser's way into one of the owner's databases."""
        return admin.with_dbname(self.super_dsn, admin.dbname(dsn))

    def execute(self, dsn: str, statement: str) -> None:
        """Execute as the superuser in one of the owner's databases."""
        with admin.connection(self.above(dsn)) as conn:
            conn.execute(statement.encode())

    def ask(self, dsn: str, query: str) -> Any:
        """What the superuser is answered: the first value, None without one."""
        with admin.connection(self.above(dsn)) as conn:
            row = conn.execute(query.encode()).fetchone()
        return row[0] if row else None

    def fingerprint(self, dsn: str) -> Fingerprint:
        """As the superuser takes it: the owner may not read what was taken from it."""
        return self.scene.ground.identity(self.above(dsn))


def owned(ground: Setup, super_dsn: str, direction: Direction) -> Owned | None:
    """A walk of the owner, if the plan allows one that is no superuser."""
    prepared = _prepared(ground, super_dsn)
    if prepared is None:
        return None
    its, dsn = prepared
    return Owned(Scene(its, RunCursor.begun(its, dsn, direction), Oracle(its, dsn)), super_dsn)


def _prepared(ground: Setup, super_dsn: str) -> tuple[Setup, str] | None:
    """A ground on which the owner runs the plan, and its DSN; None when the plan needs more.

    Baseline and rows are the owner's own; the roles of the plan's baseline are there already.
    """
    with admin.connection(super_dsn) as conn:
        for role in (OWNER, THIEF):
            with suppress(psycopg.errors.DuplicateObject):
                conn.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
        conn.execute(
            sql.SQL("alter role {} login createdb password {}").format(
                sql.Identifier(OWNER), sql.Literal(PASSWORD)
            )
        )
    dsn = make_conninfo(super_dsn, user=OWNER, password=PASSWORD)
    name = admin.unique_name("harness_owned")
    try:
        own = ground.furnish(dsn, name)
        before = ground.identity(own)
        migrate(own, ground.sweeping())
        its = replace(ground, before=before, after=ground.identity(own), backs=(), sums={})
        # where the way back leads was seen as the superuser: as the owner nobody went it
        return replace(its, returns=ground.returns and not ground.backs), dsn
    except (HarnessError, psycopg.Error):
        return None
    finally:
        admin.drop(super_dsn, name)
