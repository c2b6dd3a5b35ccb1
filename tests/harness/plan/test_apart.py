"""Which batch scripts several workers may share: by their text, or by their header."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.plan import Script
from harness.plan.apart import is_apart, workers_of
from harness.plan.model import RunnerSettings
from harness.plan.script import read

BOUNDS = "id > %(after)s AND id <= %(upto)s"
HEAD = "-- kind: batch\n-- table: shop.orders\n-- key: id\n"


def script(root: Path, statements: str, *headers: str) -> Script:
    path = root / "010_fill.forward.sql"
    path.write_text(HEAD + "".join(f"-- {one}\n" for one in headers) + f"\n{statements};\n")
    return read(path, root)


@pytest.mark.parametrize(
    ("statement", "apart"),
    [
        ("UPDATE shop.orders SET a = upper(b) || pg_catalog.left(c, 3) WHERE {}", True),
        ("DELETE FROM shop.orders WHERE {}", True),
        ("UPDATE shop.orders SET a = 1 WHERE {}; DELETE FROM shop.orders WHERE {} AND b", True),
        ("UPDATE shop.orders SET a = (SELECT max(b) FROM shop.lines) WHERE {}", False),
        ("UPDATE shop.orders SET a = l.b FROM shop.lines AS l WHERE {}", False),
        ("DELETE FROM shop.orders USING shop.lines AS l WHERE {}", False),
        ("UPDATE shop.orders SET a = nextval('shop.numbers') WHERE {}", False),
        ("UPDATE shop.orders SET a = shop.price_of(b) WHERE {}", False),
        ("UPDATE shop.orders SET a = b OPERATOR(shop.+) c WHERE {}", False),
        ("UPDATE shop.lines SET a = 1 WHERE {}", False),
        ("INSERT INTO shop.log SELECT id FROM shop.orders WHERE {}", False),
        ("SELECT count(*) FROM shop.orders WHERE {}", False),
        ("WITH w AS (SELECT 1) UPDATE shop.orders SET a = 1 WHERE {}", False),
    ],
)
def test_a_statement_is_apart_when_it_touches_its_range_alone(
    statement: str, apart: bool, tmp_path: Path
) -> None:
    assert is_apart(script(tmp_path, statement.replace("{}", BOUNDS))) is apart


def test_a_name_that_a_search_path_leads_elsewhere_is_no_name_of_the_server(
    tmp_path: Path,
) -> None:
    text = f"UPDATE shop.orders SET a = upper(b) WHERE {BOUNDS}"
    assert not is_apart(script(tmp_path, text, "set: search_path=shop"))


@pytest.mark.parametrize(
    ("workers", "headers", "used"),
    [
        (1, ["batch_workers: 4"], 1),
        (8, ["batch_workers: 4"], 4),
        (2, ["batch_workers: 4"], 2),
        (8, ["batch_workers: 1"], 1),
        (8, [], 8),
    ],
)
def test_the_fewer_of_plan_and_header_share_a_step(
    workers: int, headers: list[str], used: int, tmp_path: Path
) -> None:
    text = f"UPDATE shop.orders SET a = 1 WHERE {BOUNDS}"
    found = script(tmp_path, text, *headers)
    assert workers_of(RunnerSettings(batch_workers=workers), found) == used


@pytest.mark.parametrize("value", ["0", "65", "two", "-1", "1.5", "٣", "9999999999999999999999"])
def test_a_header_that_is_no_number_of_workers_is_refused(value: str, tmp_path: Path) -> None:
    text = f"UPDATE shop.orders SET a = 1 WHERE {BOUNDS}"
    with pytest.raises(UsageError, match="batch_workers is how many may share a batch step") as no:
        script(tmp_path, text, f"batch_workers: {value}")
    assert f"{tmp_path}/010_fill.forward.sql:4" in str(no.value)


def test_only_a_batch_script_has_workers(tmp_path: Path) -> None:
    path = tmp_path / "010_x.forward.sql"
    path.write_text("-- batch_workers: 2\nSELECT 1;\n")
    with pytest.raises(UsageError, match="in a transaction script"):
        read(path, tmp_path)
