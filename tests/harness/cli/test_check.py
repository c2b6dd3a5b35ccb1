"""`harness check` from the command line: exit status, forms, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli.check import check
from harness.core.errors import HarnessError, Refused, UsageError
from tests.harness.support.trees import dbmate, write_files

SOUND = {"1.sql": dbmate("create table t (a int);", "drop table t;")}


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(check, arguments)
    if isinstance(result.exception, HarnessError):
        raise result.exception
    return result


def test_a_sound_tree_passes_and_a_finding_fails_where_it_is_asked_to(tmp_path: Path) -> None:
    write_files(tmp_path, SOUND | {"2.sql": dbmate("create index i on t (a);", "drop index i;")})
    done = run(str(tmp_path), "--rows", "5", "--json", "--server", "embedded")
    document = json.loads(done.stdout)
    assert (done.exit_code, document["verdict"]) == (0, "pass")
    assert [one["name"] for one in document["revisions"]] == ["1", "2"]
    assert run(str(tmp_path), "--rows", "5", "--fail-on", "warning").exit_code == 1


def test_a_dump_is_the_ground_of_the_last_revision(tmp_path: Path) -> None:
    dump = tmp_path / "before.sql"
    dump.write_text(
        "\\restrict abc\nSET statement_timeout = 0;\nCREATE TABLE public.t (a integer);\n"
        "ALTER TABLE public.t OWNER TO postgres;\n\\unrestrict abc\n"
    )
    tree = write_files(tmp_path / "m", {"1.sql": "-- migrate:up\nnonsense;\n"})
    write_files(tree, {"2.sql": dbmate("alter table t add b int;", "alter table t drop b;")})
    done = run(str(tree), "--last", "1", "--baseline", str(dump), "--rows", "5", "--json")
    assert json.loads(done.stdout)["verdict"] == "pass"


def test_a_baseline_that_does_not_apply_is_named_with_its_line(tmp_path: Path) -> None:
    dump = tmp_path / "before.sql"
    dump.write_text("create table t (a int);\ncreate table t (a int);\n")
    tree = write_files(tmp_path / "m", SOUND)
    with pytest.raises(Refused, match=r"before\.sql:2: the baseline does not apply"):
        run(str(tree), "--all", "--baseline", str(dump))


def test_an_earlier_revision_that_fails_is_named(tmp_path: Path) -> None:
    write_files(tmp_path, {"0.sql": "-- migrate:up\nselect 1;\nselect nosuch;\n"} | SOUND)
    with pytest.raises(Refused, match=r"0\.sql:3: a revision before those under test"):
        run(str(tmp_path), "--last", "1")


def test_an_existing_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="never on an existing one"):
        run(str(tmp_path), "--dsn", "postgresql:///x")
