"""What a project file says of tables and columns holds, and mistakes in it are named by line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.core.errors import UsageError
from harness.rows import Filled
from harness.subject.choice import seeder_of
from harness.subject.project import find_project

SCHEMA = """
CREATE SCHEMA shop;
CREATE TABLE shop.kind (id int PRIMARY KEY, name text);
CREATE TABLE shop.item (
  id int PRIMARY KEY, kind_id int NOT NULL REFERENCES shop.kind, code text UNIQUE,
  price numeric(8,2), size text CHECK (size IN ('s', 'm', 'l')), sold date,
  twice int GENERATED ALWAYS AS (id * 2) STORED
)
"""
COLUMNS = '"shop.item".columns'
PROJECT = """
[subject]
kind = "command"
path = "."
up = "true"

[rows]
count = 40

"""


def prepare(dsn: str, directory: Path, said: str) -> None:
    (directory / "harness.toml").write_text(PROJECT + said)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(SCHEMA)


def seed(dsn: str, directory: Path, said: str) -> Filled:
    prepare(dsn, directory, said)
    make = seeder_of(None, find_project(directory), fresh=True)
    made: Filled = make(dsn, rows=40, seed=1)
    return made


def values(dsn: str, column: str) -> list[Any]:
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(f"SELECT {column} FROM shop.item ORDER BY id".encode()).fetchall()
    return [row[0] for row in rows]


def test_counts_and_columns_are_as_the_project_says(
    harness_empty_database: str, tmp_path: Path
) -> None:
    said = """
[rows.tables."shop.kind"]
count = 3
[rows.tables."shop.item".columns]
code = {pattern = "[A-Z]{2}-[0-9]{6}"}
price = {min = 10, max = 11.5}
size = {values = ["s", "m"], null = 0.5}
sold = {sql = "date '2024-01-01' + n::int"}
"""
    dsn = harness_empty_database
    filled = seed(dsn, tmp_path, said)
    assert filled.tables == {"shop.item": 40, "shop.kind": 3}
    assert filled.rows == 43
    assert all(code is None or code[2] == "-" for code in values(dsn, "code"))
    assert all(price is None or 10 <= price <= 11.5 for price in values(dsn, "price"))
    sizes = values(dsn, "size")
    assert set(sizes) == {"s", "m", None}
    assert 8 <= sizes.count(None) <= 32
    assert [day.toordinal() for day in values(dsn, "sold")] == list(range(738887, 738927))


@pytest.mark.parametrize(
    ("said", "options", "status", "tables"),
    [
        ("", (), 0, {"shop.item": 40, "shop.kind": 40}),
        ("", ("--rows", "7"), 0, {"shop.item": 7, "shop.kind": 7}),
        ('[rows.tables."shop.kind"]\ncount = 0', (), 1, {"shop.item": 0, "shop.kind": 0}),
    ],
)
def test_the_command_says_what_was_filled(
    harness_empty_database: str,
    tmp_path: Path,
    said: str,
    options: tuple[str, ...],
    status: int,
    tables: dict[str, int],
) -> None:
    prepare(harness_empty_database, tmp_path, said)
    command = (sys.executable, "-m", "harness", "seed", "--json", "--dsn")
    done = subprocess.run(
        [*command, harness_empty_database, *options],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert (done.returncode, report["tables"]) == (status, tables)
    assert [table["constraint"] for table in report["unfilled"]] == ["item_kind_id_fkey"] * status
    assert ("item_kind_id_fkey: it refers to shop.kind, which has no rows" in done.stderr) == status


@pytest.mark.parametrize(
    ("table", "said", "message"),
    [
        ("shop.itme", "count = 1", "there is no table 'shop.itme'"),
        ("shop.item", "cuont = 1", "unknown key 'cuont'"),
        ("shop.item", "count = -1", "count is -1"),
        ("shop.item", "count = true", "count is True"),
        ("shop.item", "columns = 3", "'columns' is 3"),
        (COLUMNS, "colour = {null = 1}", "has no column 'colour'"),
        (COLUMNS, "twice = {null = 1}", "'twice' of shop.item is generated"),
        (COLUMNS, "code = {nul = 1}", "unknown key 'nul'"),
        (COLUMNS, "code = {null = 2}", "null is 2"),
        (COLUMNS, "code = {values = []}", "values is []"),
        (COLUMNS, 'code = {values = ["a"], sql = "1"}', "values and sql"),
        (COLUMNS, 'code = {pattern = "["}', "pattern is '['"),
        (COLUMNS, 'size = {values = ["s", "xl"]}', "does not take 'xl'"),
        (COLUMNS, 'price = {sql = "nothing"}', "refuses the expression of price"),
        (COLUMNS, 'price = {sql = "n; DROP TABLE shop.kind"}', "refuses the expression"),
        (COLUMNS, "id = {null = 0.5}", "'id' of shop.item is NOT NULL"),
        (COLUMNS, "price = {min = 5, max = 1}", "min is 5 and max is 1"),
    ],
)
def test_mistakes_are_named_by_file_and_line(
    harness_empty_database: str,
    tmp_path: Path,
    table: str,
    said: str,
    message: str,
) -> None:
    head = f"[rows.tables.{table}]" if table == COLUMNS else f'[rows.tables."{table}"]'
    said = f"{head}\n{said}"
    with pytest.raises(UsageError) as caught:
        seed(harness_empty_database, tmp_path, said)
    assert message in str(caught.value)
    lines = (PROJECT + said).splitlines()
    file, _, number = str(caught.value.where).rpartition(":")
    assert file == str(tmp_path / "harness.toml")
    assert lines[int(number) - 1].split(" ")[0] in said
    with psycopg.connect(harness_empty_database) as conn:
        assert conn.execute("SELECT FROM shop.kind").fetchall() == []
