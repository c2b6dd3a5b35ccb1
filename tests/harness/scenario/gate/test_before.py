"""The database before says whether clients would have anything to do there."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plan import load
from harness.scenario.gate.before import NO_TRAFFIC, judged_source
from harness.scenario.gate.target import JudgedSubject
from harness.server import Server
from harness.subject.choice import subject_of
from tests.harness.support.people import BASELINE, make_people, write

UNFIT = "create schema shop; create table shop.person (id bigint primary key, age integer);"
NONE = "create schema shop;"


@pytest.mark.parametrize(
    ("baseline", "lacking"),
    [(BASELINE, {}), (UNFIT, {"live": NO_TRAFFIC}), (NONE, {"live": NO_TRAFFIC})],
    ids=["fit", "unfit", "none"],
)
def test_tables_that_clients_cannot_use_leave_out_the_suite_of_traffic(
    harness_server: Server, tmp_path: Path, baseline: str, lacking: dict[str, str]
) -> None:
    root = make_people(tmp_path)
    write(root, "sql/baseline/010_shop.sql", baseline)
    plan = load(root / "sql" / "plan.toml")
    found = judged_source(harness_server, JudgedSubject(subject_of(plan), plan), None)
    assert (found.lacking, found.doubts) == (lacking, ())
    assert found.document["objects"]
