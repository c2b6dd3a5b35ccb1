"""Every gap put back on purpose is named: the checks that say GO say NO-GO to the defect."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.core.errors import UsageError
from harness.plan import Plan
from harness.report import evidence
from harness.scenario.mutate.judging import Case, hurried

from . import sabotage
from .judge import judge

if TYPE_CHECKING:
    from harness.server import Server

pytestmark = pytest.mark.sabotage_suite
PATCHES = sabotage.every()
EVERY = [patch.name for patch in PATCHES]
FIRST = ("forward", "reading", "back", "asking", "trying", "writing")
GAPS = {
    "1.1",
    "1.2",
    "1.3",
    "1.4",
    "1.5",
    "2.4",
    "3.1",
    "3.6",
    "6.2",
    "6.4",
    "7.3",
    "7.8",
    "8.5",
    "9.1",
}


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: f"{patch.gap}-{patch.name}")
def test_gap_put_back_is_named(
    patch: sabotage.Patch, harness_plan: Plan, harness_server: Server, tmp_path: Path
) -> None:
    broken = sabotage.applied(harness_plan, patch, tmp_path / "plan")
    plans = hurried(broken), hurried(harness_plan)
    case = Case(harness_server.dsn(), *plans, patch.step(harness_plan), patch.direction)
    found = []
    with closing(judge(case, patch.stages or FIRST)) as remarks:  # type: ignore[type-var]
        for name, findings in remarks:
            found += [f"{name}: {line}" for line in findings]
            if any(all(word in line for word in patch.says) for line in found):
                evidence.count("sabotage", "known gaps caught", [patch.name], EVERY)
                return
            if name == "forward" and findings:
                break
    pytest.fail(f"{patch.title}: nobody says {patch.says}, only {found}")


def test_every_gap_of_sql_and_data_has_a_patch() -> None:
    assert {patch.gap for patch in PATCHES} == GAPS


def test_patch_that_does_not_fit_is_refused(harness_plan: Plan, tmp_path: Path) -> None:
    edit = {"file": "plan.toml", "old": "no such text", "new": ""}
    patch = sabotage.Patch("stray", "0", "a stray patch", (), (edit,))
    with pytest.raises(UsageError, match="fits 0 places"):
        sabotage.applied(harness_plan, patch, tmp_path / "plan")
