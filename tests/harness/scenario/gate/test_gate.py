"""The gate, run as a user runs it, on planted suites: it says GO only where it should."""

import json
import os
import re

import pytest

from harness.check import verdict_file
from harness.cli.verdict import refuse_without_verdict
from harness.core.errors import Refused
from harness.core.tree_hash import tree_hash
from harness.plan import load
from harness.report.section.registry import list_required
from harness.scenario.gate import PLANTED
from harness.scenario.gate.provenance import changed
from tests.harness.support import foreign_section
from tests.harness.support.gate import SUITES, gate, leave, make_project
from tests.harness.support.report import FINDING, VALIDATE, documents


@pytest.fixture
def project(tmp_path):
    """A checkout whose release suites are one passing test each."""
    return make_project(tmp_path)


def test_suites_that_pass_are_go_and_the_file_says_what_was_judged(project):
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (0, "GO")
    assert [suite["name"] for suite in document["suites"]] == list(SUITES)
    assert document == json.loads((project / "build" / "verdict.json").read_text())
    assert (
        verdict_file.read(project / "build" / "verdict.json").plan_hash == document["plan"]["hash"]
    )
    assert [exhibit["name"] for exhibit in document["evidence"]] == list(list_required())
    for name in ("junit.xml", "pytest.log", "report/index.html", "report/pull-request.md"):
        assert (project / "build" / name).exists()


def test_evidence_of_another_package_is_in_the_verdict_and_on_the_page(project, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    foreign_section.install(site)
    leave(project, invoices=foreign_section.GOOD)
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    status, document, _ = gate(project, PYTHONPATH=path)
    assert (status, document["verdict"], document["figures"]["invoices"]) == (0, "GO", 1)
    assert document["evidence"][-1] == {
        "name": "invoices",
        "verdict": "pass",
        "reason": "",
        "counts": [{"what": "invoice sums", "done": 1, "of": 1, "sample": False}],
    }
    page = (project / "build" / "report" / "index.html").read_text()
    assert "<li>&lt;north&gt;: 1,234,567</li>" in page


def test_a_go_allows_a_database_that_is_made_from_the_same_baseline(
    tmp_path, harness_baseline, harness_plan, harness_server
):
    project = make_project(tmp_path, small=False)
    gate(project)
    here = load(project / "sql" / "plan.toml")
    if harness_server.version == 18:  # the embedded one that the gate judged on
        refuse_without_verdict(harness_baseline, here, project / "build" / "verdict.json")
    else:
        with pytest.raises(Refused, match="judged was Postgres 18"):
            refuse_without_verdict(harness_baseline, here, project / "build" / "verdict.json")


def test_the_full_gate_wants_the_planted_gaps_besides(project):
    status, document, _ = gate(project, "--full")
    assert (status, document["verdict"]) == (1, "NO-GO")
    assert document["unknowns"] == [*PLANTED, *PLANTED]  # the suite, and what it should leave


def test_failing_evidence_is_no_go_though_every_suite_passes(project):
    leave(project, validate=VALIDATE | {"verdict": "fail", "findings": [FINDING]})
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (1, "NO-GO")
    assert {one["verdict"] for one in document["suites"]} == {"pass"}
    assert [one["id"] for one in document["findings"]] == [FINDING["id"]]
    assert document["reasons"][0].startswith("evidence validate: fail")


def test_a_suite_that_passes_and_counts_nothing_is_no_go_and_claims_nothing(project):
    leave(project, rollback=None)
    status, document, _ = gate(project)
    assert (status, document["unknowns"]) == (1, ["rollback"])
    page = (project / "build" / "report" / "index.html").read_text()
    assert "evidence rollback: unknown" in page
    assert not re.search(r"✓.{0,40}<p>rolled back", page, re.DOTALL)


def test_evidence_of_an_earlier_gate_does_not_speak_for_this_one(project):
    left = project / "build" / "evidence"
    left.mkdir(parents=True)
    (left / "validate.json").write_text(json.dumps(documents()["validate"]))
    leave(project, validate=None)
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (1, "NO-GO")
    assert document["unknowns"] == ["validate"]


def test_a_plan_edited_while_it_was_judged_is_no_go(project):
    edits = """
from pathlib import Path

def test_a():
    (file,) = Path("sql/phases").glob("1.1*/010_*.forward.sql")
    file.write_text(file.read_text() + "-- edited\\n")
"""
    (project / "tests" / "migration" / "test_resume.py").write_text(edits)
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (1, "NO-GO")
    assert "the plan changed while it was judged" in document["reasons"]


def test_what_was_judged_is_known_by_its_contents(tmp_path):
    (tmp_path / "a.sql").write_text("select 1")
    before = tree_hash([tmp_path])
    assert tree_hash([tmp_path], "other rows") != before
    (tmp_path / "a.sql").rename(tmp_path / "b.sql")
    assert tree_hash([tmp_path]) != before
    parts = {"plan": {"hash": "p"}, "seed": {"hash": "s"}, "tool": {"hash": "t", "suites_hash": ""}}
    assert changed(parts, parts) == []
    assert changed(parts, parts | {"seed": {"hash": "x"}}) == [
        "the seed changed while it was judged"
    ]


@pytest.mark.parametrize(
    ("planted", "word"),
    [
        ("def test_a():\n    assert 1 == 2\n", "fail"),
        ("import pytest\n\n@pytest.mark.skip\ndef test_a():\n    pass\n", "unknown"),
        ("import nothing_of_that_name\n", "unknown"),
        ("", "unknown"),
        ("import os\n\ndef test_a():\n    os._exit(0)\n", "fail"),
    ],
    ids=["failing", "skipped", "not importable", "empty", "dying"],
)
def test_a_planted_suite_is_no_go(project, planted, word):
    (project / "tests" / "migration" / "test_resume.py").write_text(planted)
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (1, "NO-GO")
    assert {suite["name"]: suite["verdict"] for suite in document["suites"]}["resume"] == word


def test_a_failure_is_a_finding_with_its_evidence(project):
    (project / "tests" / "migration" / "test_forward.py").write_text(
        "def test_rows():\n    assert 1 == 2, 'one row lost at postgresql://me:secret@db/x'\n"
    )
    _, document, _ = gate(project)
    (finding,) = document["findings"]
    assert finding["id"] == "forward.test_rows"
    assert "one row lost at postgresql://me:***@db/x" in finding["message"]
    assert "assert 1 == 2" in finding["evidence"]
    for name in ("verdict.json", "report/index.html", "report/pull-request.md"):
        assert "secret" not in (project / "build" / name).read_text()


def test_a_verdict_says_the_same_on_another_machine(project):
    (project / "tests" / "migration" / "test_forward.py").write_text(
        "def test_rows():\n    assert [__file__, '/usr/lib/x/y'] == []\n"
    )
    _, document, _ = gate(project, "--rows", "77", "--seed", "5")
    (cause,) = document["causes"]
    again = "python -m pytest tests/migration/test_forward.py::test_rows --pg-server embedded"
    assert cause["replay"].startswith(again)
    for option in ("--pg-version 18", "--pg-rows 77", "--pg-seed 5"):
        assert option in cause["replay"]
    written = [*(project / "build" / "report").iterdir(), project / "build" / "verdict.json"]
    for path in written:
        text = re.sub(r'"objects".*', "", path.read_text(), flags=re.DOTALL)
        assert "tests/migration/test_forward.py" in text
        assert re.findall(r"(?<![\w<:./-])/(?:usr|tmp|root|home|work|var)/\S+", text) == []


def test_an_old_go_does_not_outlive_a_broken_plan_or_run(project):
    gate(project)
    (project / "tests" / "migration" / "test_forward.py").write_text("def test_a(:\n")
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (1, "NO-GO")


def test_an_unreadable_plan_is_a_usage_error_in_one_sentence(project):
    (project / "sql" / "plan.toml").write_text("format = \n")
    status, document, stderr = gate(project)
    assert (status, document["exit_status"]) == (2, 2)
    assert "plan.toml" in stderr
    assert "Traceback" not in stderr
