"""The gate in a project of another team: GO on what is well, NO-GO with its cause otherwise."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from harness.document.base import from_builtins
from harness.document.verdict import VerdictDocument
from tests.harness.support.gate import COMMAND
from tests.harness.support.people import make_people, stand_in, write

NUMBERED = """
-- kind: batch
-- table: shop.person
-- key: id
update shop.person p set nick = s.place from (
    select id, row_number() over () as place from shop.person
    where id > %(after)s and id <= %(upto)s
) s where s.id = p.id;
"""
INHERITED = "from harness.suite.rollback import *\n"


def gate(root: Path) -> VerdictDocument:
    """Run it, as a user does; the verdict."""
    done = subprocess.run(  # the limit is for one that hangs, beside whatever else is at work
        [*COMMAND, "--json", "--rows", "60"], cwd=root, capture_output=True, text=True, timeout=900
    )
    document = from_builtins(json.loads(done.stdout), VerdictDocument)
    assert done.returncode == (0 if document.verdict == "GO" else 1), done.stderr
    return document


def words(document: VerdictDocument) -> dict[str, str]:
    return {suite.name: suite.verdict for suite in document.suites}


def said(document: VerdictDocument, suite: str) -> str:
    """What the findings of a suite say."""
    told: list[Any] = [one for one in document.findings if one.id.startswith(f"{suite}.")]
    return "\n".join(f"{one.message}\n{one.evidence}" for one in told)


def test_two_steps_and_nothing_more_are_go_and_what_does_not_apply_is_listed(
    tmp_path: Path,
) -> None:
    root = make_people(tmp_path)
    stand_in(root, "crash", "live")
    document = gate(root)
    assert (document.verdict, list(document.reasons)) == ("GO", [])
    expected = {"dry_run", "forward", "rollback", "resume", "crash", "live", "benchmark"}
    assert set(words(document)) == expected
    assert "cleanup" in {one.name for one in document.not_applicable or ()}
    page = (tmp_path / "build" / "report" / "index.html").read_text()
    assert "cleanup: not applicable, the plan has no cleanup/*.sql" in page


def test_planted_steps_are_no_go_and_each_is_named_by_its_suite(tmp_path: Path) -> None:
    steps = {
        "_010_nick": (
            "alter table shop.person add column nick text;\ncreate view shop.v as select 1 as a;",
            "alter table shop.person drop column nick;",
        ),
        "_030_drop": (
            "alter table shop.person drop column email;",
            "alter table shop.person add column email text not null default '';",
        ),
        "_040_number": (
            NUMBERED,
            "-- nothing: the column goes with its step",
        ),
    }
    root = make_people(tmp_path, **steps)
    stand_in(root, "crash", "dry_run", "live")
    document = gate(root)
    assert document.verdict == "NO-GO"
    assert "1/030_drop: column shop.person.email is gone with its 300 values" in said(
        document, "forward"
    )
    assert "view shop.v" in said(document, "rollback")
    assert "shop.person" in said(document, "resume")
    assert [words(document)[name] for name in ("forward", "rollback", "resume")] == ["fail"] * 3


def test_suites_that_were_tampered_with_are_no_go(tmp_path: Path) -> None:
    root = make_people(tmp_path)
    stand_in(root, "resume", "crash", "dry_run", "forward", "live")
    write(root, "harness.toml", 'suites = ["own"]')
    write(
        root,
        "tests/migration/test_rollback.py",
        INHERITED + "def test_a_second_rollback_does_nothing(): pass\n",
    )
    write(
        root,
        "tests/migration/conftest.py",
        "def pytest_collection_modifyitems(items):\n"
        "    items[:] = [item for item in items if 'window' not in item.name]\n",
    )
    document = gate(root)
    assert document.verdict == "NO-GO"
    told = {one.id: one.message for one in document.findings}
    assert "asked for" in told["absent.own"]
    assert "own" in document.unknowns
    name = "test_a_second_rollback_does_nothing"
    assert "harness/suite/rollback.py" in told[f"left_out.rollback.{name}"]
    window = [text for key, text in told.items() if "after_the_window" in key]
    assert window == ["the test was collected, then dropped by a hook"]
