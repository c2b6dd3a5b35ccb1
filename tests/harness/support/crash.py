"""A ground for explorations in tests: a plan, and how it goes when nothing disturbs it."""

from __future__ import annotations

import os
from dataclasses import replace

from harness.crash.setup import Setup
from harness.database import admin, fingerprint, template
from harness.plan import Plan
from harness.runner import migrate
from harness.subject.plan import PlanSubject


def ground_of(server_dsn: str, plan: Plan, *, rows: int = 0, prepare: str | None = None) -> Setup:
    """A ground with both fingerprints, taken on databases of the given server.

    The runs that make the fingerprints are the product's own: `prepare` comes after them.
    """
    ground = Setup(subject=PlanSubject(plan), rows=rows, seed=1, owner_pid=os.getpid())
    name = admin.unique_name("harness_ground")
    before = ground.furnish(server_dsn, name)
    first = fingerprint.take(before, workers=1)
    after = template.clone(server_dsn, name)
    try:
        migrate(after, ground.sweeping())
        second = fingerprint.take(after, workers=1)
    finally:
        for dsn in (before, after):
            admin.drop(server_dsn, admin.dbname(dsn))
    return replace(ground, before=first, after=second, prepare=prepare)
