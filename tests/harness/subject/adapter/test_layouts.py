"""Each tool's tree is recognised, and read as that tool reads it: order, ways, transactions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.subject.adapter.model import ForeignTree
from harness.subject.adapter.recognition import LAYOUTS, read_tree
from tests.harness.support.trees import write_files

DBMATE = "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n"
GOOSE = "-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;\n"
TREES: Mapping[str, Mapping[str, str]] = {
    "atlas": {"atlas.sum": "h1:", "20240101_a.sql": "select 1"},
    "db-migrate": {"1-a.js": "", "sqls/1-a-up.sql": "select 1", "sqls/1-a-down.sql": "select 2"},
    "dbmate": {"20240101_a.sql": DBMATE},
    "diesel": {"2024-01-01-000000_a/up.sql": "select 1", "2024-01-01-000000_a/down.sql": ""},
    "drizzle": {"meta/_journal.json": '{"entries": [{"tag": "0000_a"}]}', "0000_a.sql": "select 1"},
    "flyway": {"V1__a.sql": "select 1"},
    "golang-migrate": {"1_a.up.sql": "select 1", "1_a.down.sql": "select 2"},
    "goose": {"1_a.sql": GOOSE},
    "graphile-migrate": {"000001.sql": "--! Previous: -\n--! Hash: sha1:a\n\nselect 1"},
    "liquibase": {"a.sql": "--liquibase formatted sql\n--changeset me:1\nselect 1;\n"},
    "node-pg-migrate": {"1_a.sql": "-- Up Migration\nselect 1;\n-- Down Migration\nselect 2;\n"},
    "pgmigrate": {"migrations.yml": "", "migrations/V0001__a.sql": "select 1"},
    "plain": {"1_a.sql": "select 1", "1_a.down.sql": "select 2"},
    "postgres-migrations": {"package.json": '{"postgres-migrations": 1}', "m/1_a.sql": "select 1"},
    "prisma": {"20240101000000_a b/migration.sql": "select 1", "migration_lock.toml": ""},
    "refinery": {"Cargo.toml": "refinery = 1", "m/V1__a.sql": "select 1"},
    "sql-migrate": {"1.sql": "-- +migrate Up\nselect 1;\n-- +migrate Down\nselect 2;\n"},
    "sqitch": {
        "sqitch.plan": "%project=a\n\na 2024-01-01T00:00:00Z me <m@e> # a\n",
        "deploy/a.sql": "select 1;",
        "revert/a.sql": "select 2;",
    },
    "sqlx": {"Cargo.toml": "sqlx = 1", "m/1_a.sql": "select 1"},
    "supabase": {
        "supabase/config.toml": "",
        "supabase/migrations/20240101000000_a.sql": "select 1",
    },
    "tern": {"001_a.sql": "select 1;\n---- create above / drop below ----\nselect 2;\n"},
    "yoyo": {"a.sql": "-- depends:\nselect 1", "a.rollback.sql": "select 2"},
}


def read(root: Path, files: Mapping[str, str], layout: str | None = None) -> ForeignTree:
    return read_tree(write_files(root, files), layout)


def names(tree: ForeignTree) -> list[str]:
    return [one.name for one in tree.revisions]


def test_every_layout_has_a_tree_here() -> None:
    assert TREES.keys() == LAYOUTS.keys()


@pytest.mark.parametrize("layout", sorted(TREES))
def test_a_tree_is_recognised_by_its_marks(tmp_path: Path, layout: str) -> None:
    tree = read(tmp_path, TREES[layout])
    assert tree.layout == layout
    assert [one.up.text.strip().rstrip(";")[-8:] for one in tree.revisions] == ["select 1"]
    assert tree.assumed[0].startswith(f"read as {layout}: ")
    assert ("never run beside it" in tree.assumed[0]) is not LAYOUTS[layout].tried


@pytest.mark.parametrize("layout", sorted(TREES))
def test_a_tree_without_its_mark_takes_what_is_said(tmp_path: Path, layout: str) -> None:
    assert read(tmp_path, TREES[layout], layout).layout == layout


@pytest.mark.parametrize(
    ("layout", "files", "ordered"),
    [
        ("golang-migrate", {"10_b.up.sql": "", "2_a.up.sql": ""}, ["2_a", "10_b"]),
        ("dbmate", {"10_b.sql": DBMATE, "2_a.sql": DBMATE}, ["10_b", "2_a"]),
        ("goose", {"10_b.sql": GOOSE, "2_a.sql": GOOSE}, ["2_a", "10_b"]),
        ("flyway", {"V1_10__b.sql": "", "V1_2__a.sql": "", "R__z.sql": ""},
         ["V1_2__a", "V1_10__b", "R__z"]),
        ("diesel", {"20170308_b/up.sql": "", "2017-03-09-1_a/up.sql": "",
                    "2017-09-23-2_c/up.sql": ""},
         ["20170308_b", "2017-03-09-1_a", "2017-09-23-2_c"]),
        ("drizzle", {"meta/_journal.json": '{"entries": [{"tag": "b"}, {"tag": "a"}]}',
                     "a.sql": "", "b.sql": ""}, ["b", "a"]),
        ("yoyo", {"a.sql": "-- depends: b\nselect 1", "b.sql": "select 1"}, ["b", "a"]),
    ],
)  # fmt: skip
def test_revisions_stand_in_their_tools_order(
    tmp_path: Path, layout: str, files: Mapping[str, str], ordered: list[str]
) -> None:
    tree = read(tmp_path, files, layout)
    assert names(tree) == ordered


@pytest.mark.parametrize(
    ("layout", "files", "transaction", "recording"),
    [
        ("dbmate", {"1.sql": "-- migrate:up transaction:false\nselect 1;\n"}, False, "after"),
        ("goose", {"1_a.sql": "-- +goose NO TRANSACTION\n-- +goose up\nselect 1;\n"},
         False, "after"),
        ("sql-migrate", {"1.sql": "-- +migrate Up notransaction\nselect 1;\n"}, False, "after"),
        ("sqlx", {"1_a.sql": "-- no-transaction\nselect 1"}, False, "after"),
        ("tern", {"1_a.sql": "---- tern: disable-tx ----\nselect 1"}, False, "after"),
        ("graphile-migrate", {"000001.sql": "--! no-transaction\nselect 1"}, False, "after"),
        ("postgres-migrations", {"1_a.sql": "-- postgres-migrations disable-transaction\nselect 1"},
         False, "after"),
        ("pgmigrate", {"V1__NONTRANSACTIONAL_a.sql": "select 1"}, False, "after"),
        ("diesel", {"1_a/up.sql": "select 1", "1_a/metadata.toml": "run_in_transaction = false"},
         False, "after"),
        ("flyway", {"V1__a.sql": "create index concurrently i on t (a)"}, False, "after"),
        ("flyway", {"V1__a.sql": "-- create index concurrently\nselect 1"}, True, "with"),
        ("flyway", {"V1__a.sql": "select 1", "V1__a.sql.conf": "executeInTransaction=false"},
         False, "after"),
        ("yoyo", {"a.sql": "-- depends:\nselect 1"}, True, "after"),
        ("yoyo", {"a.sql": "-- depends:\n-- transactional: false\nselect 1"}, False, "after"),
        ("liquibase", {"a.sql": "--liquibase formatted sql\n--changeset me:1\nselect 1;"},
         True, "after"),
        ("liquibase", {"a.sql": "--liquibase formatted sql\n"
                                "--changeset me:1 runInTransaction:false\n"}, False, "after"),
        ("golang-migrate", {"1_a.up.sql": "select 1"}, False, "after"),
        ("prisma", {"1_a/migration.sql": "select 1"}, False, "after"),
        ("node-pg-migrate", {"1_a.sql": "-- Up Migration\nselect 1"}, True, "with"),
        ("supabase", {"20240101000000_a.sql": "create index concurrently i on t (a)"},
         False, "after"),
    ],
)  # fmt: skip
def test_a_way_out_of_the_transaction_is_known(
    tmp_path: Path, layout: str, files: Mapping[str, str], transaction: bool, recording: str
) -> None:
    script = read(tmp_path, files, layout).revisions[0].up
    assert (script.transaction, script.recording) == (transaction, recording)


def test_a_marker_with_a_blank_before_it_is_none(tmp_path: Path) -> None:
    tree = read(tmp_path, {"1_a.sql": "-- +goose UP\nselect 1;\n -- +goose Down\nselect 2;\n"})
    assert tree.revisions[0].down is None


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    tree = read(tmp_path, {"1_a.sql": "\n\n-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n"})
    one = tree.revisions[0]
    assert one.down is not None
    assert (one.up.line + one.up.text.count("\n", 0, one.up.text.index("select"))) == 4
    assert (one.down.line + one.down.text.count("\n", 0, one.down.text.index("select"))) == 6


def test_changesets_have_their_rollback_lines_and_skip_other_databases(tmp_path: Path) -> None:
    text = (
        "--liquibase formatted sql\n--changeset me:1\ncreate table a (b int);\n"
        "--rollback drop table\n--rollback a;\n--changeset me:2 dbms:mysql\nnonsense;\n"
        "--changeset me:3\nselect 1;\n--rollback empty\n"
    )
    first, last = read(tmp_path, {"a.sql": text}).revisions
    assert (first.name, first.down.text if first.down else "") == ("me:1", "drop table\na;")
    assert (last.name, last.down) == ("me:3", None)


def test_a_reworked_change_of_sqitch_has_the_script_of_its_tag(tmp_path: Path) -> None:
    plan = "%project=p\na 2024-01-01 m\n@v1 2024-01-01 m\na [a@v1] 2024-01-02 m\n"
    files = {"sqitch.plan": plan, "deploy/a@v1.sql": "select 1;", "deploy/a.sql": "select 2;"}
    assert names(read(tmp_path, files)) == ["a@v1", "a"]


@pytest.mark.parametrize(
    ("files", "flaw"),
    [
        ({"V1__a.sql": "select 1;\nselect '${schema}';"}, "V1__a.sql:2: ${schema} has no value"),
        ({"1_a.sql": DBMATE, "2_b.sql": "select 1;"}, "2_b.sql:1: has no marker"),
        ({"000001.sql": "--! Previous: sha1:x\n--! Hash: sha1:a\n"}, "follows sha1:x"),
    ],
)
def test_a_revision_that_cannot_be_run_says_why(
    tmp_path: Path, files: Mapping[str, str], flaw: str
) -> None:
    assert flaw in read(tmp_path, files).revisions[-1].flaw
