"""What is no tree, two trees, or code, is said with what to do; nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.subject.adapter.recognition import read_tree
from tests.harness.support.trees import dbmate, write_files

MATE = dbmate("select 1;")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no tree of migrations is there"),
        ({"a/1.sql": MATE, "b/1.sql": MATE}, "there are 2 trees: a (dbmate), b (dbmate)"),
        ({"1_a.sql": f"-- +goose Up\nselect 1;\n{MATE}"}, "may be dbmate"),
        ({"alembic.ini": ""}, 'harness crash --up "alembic upgrade head"'),
        ({"manage.py": "", "app/migrations/0001_a.py": "class M(migrations.Migration):"}, "Django"),
        ({"db/migrate/1_a.rb": "class A < ActiveRecord::Migration[7.0]"}, "ActiveRecord"),
        ({"priv/1_a.exs": "use Ecto.Migration"}, "Ecto"),
        ({"knexfile.js": "", "migrations/1_a.js": ""}, "Knex"),
        ({"1_a.up.sql": "", "01_b.up.sql": ""}, "version 1 is claimed by"),
        ({"1_a.down.sql": "", "2_b.up.sql": ""}, "1_a.down.sql: is a way back without a way up"),
        ({"001_a.sql": "---- create above / drop below ----", "003_b.sql": ""}, "2 is missing"),
        ({"a.sql": "-- depends: b", "b.sql": "-- depends: a"}, "depend on each other"),
        ({"a.sql": "-- depends: b"}, "depends on b, which is not there"),
        ({"sqitch.plan": "a 2024-01-01 m\n"}, "sqitch.plan:1: names a, and deploy/a.sql"),
        ({"1_a.sql": MATE, "1_b.sql": MATE}, "1_b.sql: version 1 is claimed by 1_a.sql too"),
        ({"meta/_journal.json": '{"entries": [{"tag": "a"}]}'}, "names a, and a.sql is not there"),
        ({"meta/_journal.json": "{"}, "_journal.json:1"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_its_place(
    tmp_path: Path, files: Mapping[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        read_tree(write_files(tmp_path, files))
    assert said in str(error.value).replace(f"{tmp_path}/", "")


def test_an_unknown_layout_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no layout 'sqlyx'; known are .*golang-migrate"):
        read_tree(tmp_path, "sqlyx")


def test_a_tree_below_the_path_is_found(tmp_path: Path) -> None:
    tree = read_tree(write_files(tmp_path, {"src/db/migrations/1_a.sql": MATE, "README": ""}))
    assert tree.root == tmp_path / "src/db/migrations"


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "1_a.up.sql").write_bytes(b"select '\xff';")
    with pytest.raises(UsageError, match=r"1_a\.up\.sql: is not UTF-8 from byte 8 on"):
        read_tree(tmp_path)
