"""What an idle copy cannot show to hurt is read from the plan: planted, one habit at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.scenario.dry_run.habits import plan_findings
from tests.harness.support.runner import SmallPlan

COLUMN = "phases/1.1_fill/010_column.forward.sql"
LONG = "dry-run.long-wait"
OFF = "dry-run.triggers-off"


def found(root: Path, before: str = "", after: str = "") -> list[tuple[str, str]]:
    """Ids of the findings and their lines, with a text added to one script of the small plan."""
    small = SmallPlan(root)
    text = (root / COLUMN).read_text()
    small.write(COLUMN, f"{before}{text}\n{after}")
    return [(one.id, one.where.rpartition(":")[2]) for one in plan_findings(small.load())]


def test_the_clean_up_is_read_too(tmp_path: Path) -> None:
    small = SmallPlan(tmp_path)
    path = small.write("cleanup/020_wait.sql", "SET LOCAL lock_timeout = '1h';\nSELECT 1;\n")
    (finding,) = plan_findings(small.load())
    assert (finding.id, finding.where) == (LONG, f"{path}:1")


def test_an_ordinary_plan_has_none(tmp_path: Path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("lock_timeout: 1h", [(LONG, "1")]),
        ("lock_timeout: 20s", [(LONG, "1")]),
        ("lock_timeout: 5s", []),
        ("set: lock_timeout=3600000", [(LONG, "1")]),
        ("set: session_replication_role=replica", [(OFF, "1")]),
        ("set: session_replication_role=origin", []),
    ],
)
def test_a_header_that_makes_users_wait_or_leaves_them_out_is_named(
    tmp_path: Path, header: str, expected: list[tuple[str, str]]
) -> None:
    assert found(tmp_path, before=f"-- {header}\n") == expected


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("SET LOCAL lock_timeout = '10min';", LONG),
        ("SET LOCAL lock_timeout TO 0;", LONG),
        ("SELECT set_config('lock_timeout', '1h', true);", LONG),
        ("SET LOCAL session_replication_role = replica;", OFF),
        ("SELECT set_config('session_replication_role', 'replica', true);", OFF),
        ("ALTER TABLE public.things DISABLE TRIGGER ALL;", OFF),
    ],
)
def test_a_statement_that_does_so_is_named(tmp_path: Path, statement: str, finding: str) -> None:
    assert [name for name, _ in found(tmp_path, after=statement)] == [finding]


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL lock_timeout = '1s';",
        "-- lock_timeout = '1h' would be long\nSELECT 1;",
        "COMMENT ON TABLE public.things IS 'waits';",
    ],
)
def test_what_is_short_or_only_spoken_of_is_not(tmp_path: Path, statement: str) -> None:
    assert found(tmp_path, after=statement) == []


def test_a_runner_that_waits_without_end_is_named(tmp_path: Path) -> None:
    plan = SmallPlan(tmp_path).load()
    patient = replace(plan, runner=replace(plan.runner, lock_timeout=3600.0))
    (finding,) = plan_findings(patient)
    assert finding.id == LONG
    assert finding.where == str(plan.path)
