"""Databases with the subject's overlay, before and after the migration: templates, made once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.database import admin, template
from harness.plan import Plan
from harness.runner import migrate
from harness.scenario.impact.clones import Clones
from harness.subject.overlay import apply_overlay


@contextmanager
def dressed_clones(server: str, base: str, plan: Plan, files: Sequence[Path]) -> Iterator[Clones]:
    """Copies of both for the length of a block; `base` is the template of the seeded database."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    source = template.ensure(
        server, f"{base}-overlay-{digest}", lambda dsn: apply_overlay(dsn, files), base=base
    )

    def build(dsn: str) -> None:
        migrate(dsn, plan)

    target = template.ensure(server, f"{source}-migrated-{plan.hash}", build, base=source)
    made: list[str] = []
    try:
        made += [template.clone(server, name) for name in (source, target)]
        yield Clones(server, *made)
    finally:
        for dsn in made:
            admin.drop(server, admin.dbname(dsn))
