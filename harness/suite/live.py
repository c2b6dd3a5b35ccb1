"""Under traffic, there and back, killed on each way: no write is lost, and nobody waits too long.

Counts decide. A busy machine makes times say nothing, which does not hold the release back. At
length, with every rate and with kills of the server, it is `harness live`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from harness.document.live import LiveDocument
from harness.plan import Plan
from harness.report import evidence
from harness.scenario.live import LiveSettings, run_confirmed
from harness.scenario.live.words import lines

from .planned import exact_part

if TYPE_CHECKING:
    from harness.server import Server

OURS = ("embedded", "system", "container")
WRITES, READS = 200.0, 400.0  # a second
CONTROL = 2.0  # seconds without a migration


def settings_of(plan: Plan, server: Server, rows: int, seed: int, build: Path) -> LiveSettings:
    """A run as short as every step meeting its users allows, on a server of the same kind."""
    ours = server.provider in OURS
    return LiveSettings(
        exact_part(plan), writes=WRITES, reads=READS, seconds=0, rows=rows, seed=seed,
        server=server.provider if ours else "auto", pg_version=server.version if ours else None,
        control=CONTROL, saturation=0, counts_only=True, build=build,
    )  # fmt: skip


def kept(document: LiveDocument) -> LiveDocument:
    """The document with the history's files named as the verdict's directory has them."""
    history = document.history
    names = {key: f"evidence/live/{Path(getattr(history, key)).name}" for key in ("file", "elle")}
    return msgspec.structs.replace(document, history=msgspec.structs.replace(history, **names))


@pytest.mark.alone
def test_no_write_is_lost_and_nobody_waits_too_long(
    harness_server: Server,
    harness_plan: Plan,
    harness_rows: int,
    harness_seed: int,
    tmp_path: Path,
) -> None:
    build = Path(os.environ.get(evidence.VARIABLE) or tmp_path)
    settings = settings_of(harness_plan, harness_server, harness_rows, harness_seed, build)
    document = run_confirmed(settings)
    evidence.keep("live", kept(document))
    assert document.verdict == "pass", "\n".join(lines(document))
