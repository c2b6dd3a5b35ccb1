"""One small plan explored whole and in three shards, on the same ground."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from harness.core.shard import Shard
from harness.crash import explore
from harness.crash.prospect import prospected
from harness.crash.settings import CrashSettings
from harness.document.crash import CrashDocument
from harness.server import Server
from harness.subject.plan import PlanSubject
from tests.harness.support.runner import SmallPlan

SETTINGS = CrashSettings(
    rows=0, points=6, domains=("wire",), directions=("cleanup",), workers=2, build=None
)


@dataclass(frozen=True)
class Explored:
    whole: CrashDocument
    shards: tuple[CrashDocument, ...]


@pytest.fixture(scope="session")
def explored(harness_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Explored:
    files = SmallPlan(tmp_path_factory.mktemp("plan"))
    files.replace("baseline/010_things.sql", "generate_series(1, 1000)", "generate_series(1, 250)")
    subject = PlanSubject(files.load())
    with prospected(harness_server, SETTINGS, subject) as prospect:
        shards = [replace(SETTINGS, shard=Shard(index, 3)) for index in (1, 2, 3)]
        whole, *parts = (explore.strike(prospect, one) for one in (SETTINGS, *shards))
    return Explored(whole, tuple(parts))
