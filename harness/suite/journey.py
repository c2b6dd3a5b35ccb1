"""Going through a plan: databases at every boundary, and the state that must be found there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from harness.core.poll import wait_until
from harness.database import admin, fingerprint, template
from harness.plan import Plan
from harness.runner import migrate

if TYPE_CHECKING:
    from harness.server import Server

Fingerprint = fingerprint.Fingerprint


def impatient(plan: Plan, batch_rows: int | None = None) -> Plan:
    """The plan with a runner that does not wait long for orphans; and with small batches."""
    settings = replace(plan.runner, takeover=0.2, lock_timeout=10.0, retry_base=0.05)
    settings = replace(settings, max_wait=0.0, long_use=0.0, lock_total=0.0)  # the plan is judged
    settings = replace(settings, max_replication_lag_bytes=0, max_archive_backlog=0)  # neither here
    if batch_rows:
        settings = replace(
            settings, batch_rows=batch_rows, batch_min_rows=batch_rows, adaptive=False
        )
    return replace(plan, runner=settings)


def step_before(plan: Plan, step: str) -> str | None:
    """The step before this one; None when it is the first."""
    ids = [one.id for one in plan.steps]
    place = ids.index(step)
    return ids[place - 1] if place else None


def migrated_before(dsn: str, plan: Plan, step: str) -> None:
    """Migrate as far as the step before this one; nothing when it is the first."""
    until = step_before(plan, step)
    if until is not None:
        migrate(dsn, plan, until=until)


def state(dsn: str) -> Fingerprint:
    """The identity of a database, the migration's own schemas aside."""
    return fingerprint.take(dsn, workers=1)


def differences(before: Fingerprint, after: Fingerprint) -> list[str]:
    """What differs, in words."""
    return [
        f"{d.kind} {d.object}: {d.attribute} {d.before!r} -> {d.after!r}"[:300]
        for d in fingerprint.compare(before, after)
    ]


@contextmanager
def copied(server: Server, dsn: str) -> Iterator[str]:
    """A copy of a database nobody uses any more, dropped afterwards."""
    name = admin.dbname(dsn)
    in_use = "select 1 from pg_catalog.pg_stat_activity where datname = %s"
    with admin.connection(server.dsn()) as conn:  # CREATE DATABASE would look only every 100 ms
        wait_until(
            lambda: conn.execute(in_use, [name]).fetchone() is None,
            10,
            f"the end of all use of {name}",
            pause=0.002,
        )
    copy = template.clone(server.dsn(), name)
    try:
        yield copy
    finally:
        admin.drop(server.dsn(), admin.dbname(copy))


def backends(conn: psycopg.Connection[tuple[object, ...]], query: str) -> list[int]:
    """Server processes at work on a statement that contains `query` in this database."""
    found = conn.execute(
        "select pid from pg_catalog.pg_stat_activity where state = 'active'"
        " and datname = current_database() and pid <> pg_catalog.pg_backend_pid()"
        " and strpos(lower(query), lower(%s)) > 0 and wait_event_type = 'Lock'",
        [query],
    ).fetchall()
    return [int(str(row[0])) for row in found]
