"""What the CRM's judge looks at: databases with more in them than a seeder makes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fixtures.seed import load as seed
from harness.database import template
from harness.runner import baseline
from harness.scenario.mutate.judging import Case
from harness.suite.scene import Remark, Scene, Stage, heard

from . import decorations
from .support import connected

__all__ = ["Remark", "Scene", "Stage", "heard", "scene_of", "seeded"]

ROWS = 300
HOSTILE = 400
SEED = 1
PLENTY = Path(__file__).with_name("plenty.sql")
PLENTY_HASH = hashlib.sha256(PLENTY.read_bytes()).hexdigest()[:12]


def scene_of(case: Case) -> Scene:
    """The databases of a case, decorated where no other kind is named."""
    return Scene(case, seeded, "decorated")


def seeded(case: Case, kind: str) -> str:
    """The template of a seeded database: decorated, owned, bare or hostile."""
    hostile = kind == "hostile"

    def build(dsn: str) -> None:
        baseline(dsn, case.original)
        profile = "hostile" if hostile else "real"
        seed(dsn, rows=HOSTILE if hostile else ROWS, seed=SEED, profile=profile)
        if not hostile:
            with connected(dsn) as conn:
                conn.execute(PLENTY.read_bytes())
                conn.execute(decorations.SQL[kind].encode())

    key = f"judge-{kind}-{ROWS}-{SEED}-{case.original.hash}-{decorations.HASH}-{PLENTY_HASH}"
    return template.ensure(case.server_dsn, key, build)
