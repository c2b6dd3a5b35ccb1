"""10,000 events over the migration and back; a sample of them goes its way in the gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plan import Plan
from harness.suite.journey import impatient
from harness.suite.support import FEW, CloneFactory, TemplateFactory
from harness.suite.webhooks import prepare_source, read_schemas, source_of, tell_along
from tests.harness.support.thorough import EXHAUSTIVE


@pytest.mark.skipif(not EXHAUSTIVE, reason="10,000 events are for the night")
def test_ten_thousand_events_arrive(
    harness_plan: Plan, harness_template: TemplateFactory, harness_clone: CloneFactory,
    tmp_path: Path,
) -> None:  # fmt: skip
    root, source = source_of(harness_plan)
    dsn = harness_clone(harness_template(rows=FEW))
    prepare_source(dsn, root, source)
    plan = impatient(harness_plan)
    course = tell_along(dsn, plan, source, read_schemas(root, source), tmp_path, rounds=420)
    assert len(course.queued) >= 10_000
    assert course.wrong == []
