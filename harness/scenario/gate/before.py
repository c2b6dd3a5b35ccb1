"""The database before the migration, as the gate judges it: made from the plan's baseline."""

from __future__ import annotations

from typing import Any

from harness.core.errors import HarnessError
from harness.database import admin, source, temporary
from harness.plan import Plan
from harness.runner import baseline
from harness.server import Server

JUDGED = temporary.Kind(
    "harness_judged", "judged database of the migration harness; may be dropped"
)


def judged_source(server: Server, plan: Plan) -> tuple[dict[str, Any], list[str]]:
    """The source as the verdict carries it, or a doubt that says why there is none."""
    dsn = server.dsn()
    try:
        with temporary.reserved(dsn, JUDGED) as name:
            with admin.connection(dsn) as conn:
                admin.create_on(conn, name, None)
            own = admin.with_dbname(dsn, name)
            if plan.baseline:
                baseline(own, plan)
            return source.take(own).document(), []
    except HarnessError as error:
        return {}, [f"the database before the migration cannot be made: {error}"]
