"""The database before the migration, as the gate judges it: made from its baseline."""

from __future__ import annotations

from typing import Any

from harness.core.errors import HarnessError
from harness.database import admin, source, temporary
from harness.server import Server
from harness.subject.protocol import Subject

JUDGED = temporary.Kind(
    "harness_judged", "judged database of the migration harness; may be dropped"
)


def judged_source(server: Server, subject: Subject) -> tuple[dict[str, Any], list[str]]:
    """The source as the verdict carries it, or a doubt that says why there is none."""
    dsn = server.dsn()
    try:
        with temporary.reserved(dsn, JUDGED) as name:
            with admin.connection(dsn) as conn:
                admin.create_on(conn, name, None)
            own = admin.with_dbname(dsn, name)
            subject.prepare(own)
            return source.take(own).document(), []
    except HarnessError as error:
        return {}, [f"the database before the migration cannot be made: {error}"]
