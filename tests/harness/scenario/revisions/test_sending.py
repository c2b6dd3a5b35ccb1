"""Scripts are sent as their tools send them, and what commits together is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.scenario.revisions.growth import Growth, project
from harness.scenario.revisions.statements import UnparsedError, commit_units, split
from harness.subject.adapter.model import ForeignScript, Sending
from tests.harness.support.trees import check_here, revision, write_files

if TYPE_CHECKING:
    from harness.server import Server

TWO = "create table a (b int);\ncreate table c (d int);"


def units(text: str, sending: Sending) -> list[list[str]]:
    script = ForeignScript("x.sql", text, transaction=False, sending=sending)
    return [[one.text for one in unit] for unit in commit_units(script, split(script))]


@pytest.mark.parametrize(
    ("sending", "text", "count"),
    [
        ("whole", "select 1; select 2", [2]),
        ("split", "select 1; select 2", [1, 1]),
        ("psql", "begin; select 1; commit; select 2", [3, 1]),
        ("whole", "select 1; begin; select 2; commit; select 3; select 4", [1, 3, 2]),
        ("whole", "", []),
    ],
)
def test_what_commits_together_depends_on_how_it_is_sent(
    sending: Sending, text: str, count: list[int]
) -> None:
    assert [len(unit) for unit in units(text, sending)] == count


def test_lines_are_counted_in_characters_behind_other_alphabets() -> None:
    script = ForeignScript("x.sql", "-- ✓ déjà\nselect 'ü';\n\n/* ✓\n*/ select 2;", line=5)
    assert [one.line for one in split(script)] == [6, 9]


def test_what_does_not_parse_is_told_with_its_line() -> None:
    with pytest.raises(UnparsedError) as error:
        split(ForeignScript("x.sql", "select 1;\n\nselectt 2;", line=3))
    assert error.value.line == 5


@pytest.mark.parametrize(
    ("files", "verdict", "resumable"),
    [
        ({"1_a.up.sql": TWO, "1_a.down.sql": "drop table a, c;"}, "pass", "stuck: 1 of 1 kills"),
        ({"1_a/migration.sql": TWO}, "pass", "stuck: 1 of 1 kills"),
        ({"1_a.sql": f"-- +goose Up\n{TWO}"}, "pass", "by construction"),
        ({"1_a.sql": f"-- +goose NO TRANSACTION\n-- +goose Up\n{TWO}"}, "pass", "stuck: 2 of 2"),
        ({"sqitch.plan": "%project=a\na 2024-01-01T00:00:00Z m <m@e>\n",
          "deploy/a.sql": f"begin;\n{TWO}\ncommit;", "revert/a.sql": "drop table a, c;"},
         "pass", "stuck: 1 of 1"),
        ({"sqitch.plan": "%project=a\na 2024-01-01T00:00:00Z m <m@e>\n",
          "deploy/a.sql": "\\set n 3\ncreate table a (b int default :n);"},
         "pass", "unknown: it has"),
        ({"1_a.sql": f"-- depends:\n{TWO}", "1_a.rollback.sql": "drop table a, c;"},
         "pass", "stuck: 2 of 2"),
        ({"1_a.up.sql": "create index concurrently i on t (a);",
          "0_t.up.sql": "create table t (a int)",
          "0_t.down.sql": "drop table t", "1_a.down.sql": "drop index i"}, "pass", "stuck: 2 of 2"),
        ({"1_a.sql": "-- migrate:up\ncreate table t (a int);"
          " create index concurrently i on t (a);"},
         "fail", "not killed"),
    ],
)  # fmt: skip
def test_a_tree_runs_as_its_tool_runs_it(
    harness_server: Server, tmp_path: Path, files: Any, verdict: str, resumable: str
) -> None:
    found = check_here(harness_server, write_files(tmp_path, files), rows=0)
    last = found.revisions[-1]
    assert last.verdict == verdict, last.findings
    assert last.resumable.startswith(resumable)


def test_a_tree_may_not_start_programs(harness_server: Server, tmp_path: Path) -> None:
    files = {"1.sql": "-- migrate:up\ncreate table t (a text);\ncopy t from program 'echo 1';\n"}
    found = check_here(harness_server, write_files(tmp_path, files))
    (finding,) = revision(found, "1").findings
    assert "--superuser" in finding.hint
    assert check_here(harness_server, tmp_path, superuser=True).verdict == "pass"


def test_rows_that_cannot_be_made_are_unknown(harness_server: Server, tmp_path: Path) -> None:
    files = {
        "1.sql": "-- migrate:up\ncreate table t (a int not null check (a > 5 and a < 5));\n",
        "2.sql": "-- migrate:up\nalter table t add b int;\n",
    }
    found = check_here(harness_server, write_files(tmp_path, files))
    assert found.verdict == "unknown"
    assert found.unknowns[0].startswith("public.t has no rows: t_a_check")


def test_nothing_of_the_check_stays_on_the_server(harness_server: Server, tmp_path: Path) -> None:
    from harness.database import admin

    everything = (
        "select (select string_agg(datname, ' ' order by 1) from pg_database),"
        " (select string_agg(rolname, ' ' order by 1) from pg_roles)"
    )
    with admin.connection(harness_server.dsn()) as conn:
        before = conn.execute(everything).fetchone()
        files = {"1.sql": "-- migrate:up\ncreate role stays;\ngrant stays to reader;\n"}
        check_here(harness_server, write_files(tmp_path, files))
        assert conn.execute(everything).fetchone() == before


@pytest.mark.parametrize(
    ("few", "many", "seconds"), [(0.1, 0.4, 100.0), (0.1, 0.1, 0.1), (0.2, 0.1, 0.2)]
)
def test_times_grow_on_a_line_through_two_sizes(few: float, many: float, seconds: float) -> None:
    growth = Growth(rows=1000, like=1_000_000, seed=1)
    assert project(few, many, growth) == pytest.approx(seconds, rel=0.01)


def test_a_statement_is_timed_at_the_rows_of_production(
    harness_server: Server, tmp_path: Path
) -> None:
    files = {
        "1.sql": "-- migrate:up\ncreate table t (a int);\n",
        "2.sql": "-- migrate:up\nupdate t set a = 1 where pg_sleep(0.001) is not null;\n",
    }
    found = check_here(harness_server, write_files(tmp_path, files), like=10_000)
    (statement,) = revision(found, "2").statements
    assert statement.seconds_like is not None
    assert statement.seconds_like > 5  # it sleeps a millisecond a row


def test_a_revision_that_only_made_rows_are_in_the_way_of_is_unknown(
    harness_server: Server, tmp_path: Path
) -> None:
    files = {
        "1.sql": "-- migrate:up\ncreate table t (a int primary key, b int not null);\n",
        "2.sql": "-- migrate:up\ninsert into t select a, b from t;\ncreate table after (c int);\n",
        "3.sql": "-- migrate:up\nalter table after add d int;\n",
    }
    found = check_here(harness_server, write_files(tmp_path, files))
    assert [one.verdict for one in found.revisions] == ["pass", "unknown", "pass"]
    (finding,) = revision(found, "2").findings
    assert (finding.id, finding.where) == ("revision.up_fails_with_rows", "2.sql")
    assert "2: it goes up without rows" in found.unknowns[0]


def test_a_version_row_that_is_refused_names_no_line_of_the_script(
    harness_server: Server, tmp_path: Path
) -> None:
    files = {"1.sql": "-- migrate:up\nalter table schema_migrations drop column version;\n"}
    found = check_here(harness_server, write_files(tmp_path, files))
    (finding,) = revision(found, "1").findings
    assert (finding.id, finding.where) == ("revision.up_fails", "1.sql")
