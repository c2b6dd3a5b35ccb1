"""The page and the Markdown: the answer first, all of the evidence, and nothing from outside."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.report import report
from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.document.verdict import EvidenceCount
from harness.report import claims
from harness.report.section.model import Claim
from harness.report.section.registry import list_claims, list_required
from harness.report.verdict import Exhibit, Suite
from harness.scenario.gate import PLANTED
from harness.scenario.gate.shipped import OF_OTHERS, OF_PLAN
from tests.harness.support.report import FINDING, JUDGED, built, documents, verdict

HOSTILE = "<script>alert('x')</script> | `a` [b](http://c) @team\n# title"


def page_of(build: Path) -> str:
    return (build / "report" / "index.html").read_text("utf-8")


def markdown_of(build: Path) -> str:
    return (build / "report" / "pull-request.md").read_text("utf-8")


def test_the_answer_comes_first(tmp_path: Path):
    page = page_of(built(tmp_path))
    assert re.search(r"<body>\s*<header>.*?<h1[^>]*>.*?GO</h1>", page, re.DOTALL)
    assert page.index("GO</h1>") < page.index("What was proven") < page.index("Timeline of a run")


def test_no_go_says_why_at_once(tmp_path: Path):
    page = page_of(built(tmp_path, suites=[Suite("rollback", passed=8, failed=1)]))
    assert page.index("NO-GO</h1>") < page.index("<li>rollback: 1 of 9 failed") < page.index("<nav")


def test_the_page_needs_nothing_from_outside(tmp_path: Path):
    page = page_of(built(tmp_path, findings=[Finding(**FINDING)]))
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    assert not re.search(r"url\(|@import", page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


def test_the_page_shows_every_kind_of_evidence(tmp_path: Path):
    page = page_of(built(tmp_path))
    for section in ("timeline", "crash", "security", "samples", "suites", "judged", "logs"):
        assert f'id="{section}"' in page
    for told in (
        "took 4.0 s: off by 25%",
        "writes, 0.5 s",
        "100/s",
        "✓&nbsp;1",
        "new_lead",
        "anon",
        "+X",
        "a" * 64,
    ):
        assert told in page


def test_what_is_absent_is_shown_as_not_proven(tmp_path: Path):
    unknown = [Exhibit("dry_run", "unknown", "no evidence was left")]
    page = page_of(built(tmp_path, {"dry_run": None, "security": None}, evidence=unknown))
    assert page.count("Nothing is proven here") == 2
    assert "NO-GO</h1>" in page


def test_a_page_without_any_evidence_is_a_page(tmp_path: Path):
    page = page_of(built(tmp_path, dict.fromkeys(documents())))
    assert page.count("Nothing is proven here") == 6


CLAIM = Claim("it works", ("one",), ("two",))
SAMPLED = EvidenceCount("points", 40, 12384, sample=True)
PASSED = Suite("one", passed=1)


def judged(suites: list[Suite], evidence: list[Exhibit]) -> list[claims.Judged]:
    document = verdict(suites=suites, evidence=evidence).document()
    return claims.judged(document, [CLAIM])


@pytest.mark.parametrize("standing", ["proven", "refuted", "not proven"])
def test_a_claim_stands_on_its_suites_and_evidence(standing: str) -> None:
    word = {"proven": "pass", "refuted": "fail", "not proven": "unknown"}[standing]
    found = judged([PASSED], [Exhibit("two", word, counts=[SAMPLED])])
    assert [one.standing for one in found] == [standing]
    assert found[0].text == "it works: 40 of 12,384 points, a sample"


def test_a_suite_that_counts_nothing_proves_no_claim() -> None:
    found, mine = judged([PASSED, Suite("mine", passed=1)], [Exhibit("two", "pass")])
    assert (found.text, found.standing) == ("it works", "not proven")
    assert found.because == ("nothing was counted that it could stand on",)
    assert (mine.text, mine.standing) == ("mine: 1 tests passed", "proven")


def test_a_claim_whose_suite_and_evidence_are_not_there_says_how_to_prove_it() -> None:
    (found,) = judged([], [])
    assert found.standing == "not proven"
    assert found.because == (f"suite one: {claims.NOT_RUN}", "evidence two: missing")


def test_a_suite_that_only_some_projects_have_holds_no_claim_back_where_it_is_not() -> None:
    claim = Claim("it works", ("one", "mine"), ("two", "mine"), own=("mine",))
    exhibits = [Exhibit("two", "pass", counts=[EvidenceCount("rows", 2, 2)])]
    document = verdict(suites=[PASSED], evidence=exhibits).document()
    assert [one.standing for one in claims.judged(document, [claim])] == ["proven"]
    ran = verdict(suites=[PASSED, Suite("mine", failed=1)], evidence=exhibits).document()
    assert [one.standing for one in claims.judged(ran, [claim])] == ["refuted"]


def test_what_the_plan_switched_off_stands_under_what_was_not_proven() -> None:
    off = {"settings": {"runner": {}, "switched_off": ["verify.rows"]}}
    document = verdict(judged=JUDGED | off).document()
    assert claims.beyond(document)[0] == "the check verify.rows: the plan switched it off"


def test_every_suite_that_is_shipped_proves_something():
    named = {suite for claim in list_claims() for suite in claim.suites}
    assert named >= {*OF_PLAN, *OF_OTHERS}
    named = {name for claim in list_claims() for name in claim.evidence}
    assert named == {*list_required(), *PLANTED}


def test_what_others_wrote_is_shown_and_never_run(tmp_path: Path):
    planted = Finding(HOSTILE, "critical", HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    build = built(tmp_path, findings=[planted])
    assert "<script" not in page_of(build)
    assert "&lt;script&gt;" in page_of(build)
    text = markdown_of(build)
    assert "<script" not in text.replace("\\<", "")
    assert "@team" not in text
    assert "\n# title" not in text
    assert "[b](" not in text.replace("\\[b\\]", "")


def test_the_markdown_is_short_whatever_was_found(tmp_path: Path):
    many = [Finding(f"a.b{n}", "critical", "x" * 900, "y" * 9000, "", "z") for n in range(500)]
    text = markdown_of(built(tmp_path, findings=many))
    assert text.startswith("## ❌ NO-GO: migration crm 1")
    assert "and 490 more" in text
    assert len(text) < 20_000


def test_the_markdown_of_a_go_has_no_reasons_and_carries_the_hashes(tmp_path: Path):
    text = markdown_of(built(tmp_path))
    assert text.startswith("## ✅ GO: migration crm 1")
    assert "| forward | ✅ pass | 3 of 3 | 1.5 s |" in text
    for letter in "abc":
        assert letter * 12 in text


def test_links_lead_to_logs_that_are_there(tmp_path: Path):
    (tmp_path / "pytest.log").write_text("")
    built(tmp_path)
    links = re.findall(r'<li><a href="([^"]+)"', page_of(tmp_path))
    assert "../pytest.log" in links
    assert "../evidence/dry_run.json" in links
    assert all((tmp_path / "report" / link).exists() for link in links)


def test_the_command_writes_the_papers_again(tmp_path: Path):
    built(tmp_path)
    (tmp_path / "report" / "index.html").unlink()
    done = CliRunner().invoke(report, ["--build", str(tmp_path), "--json"])
    assert done.exit_code == 0
    assert Path(json.loads(done.stdout)["report"]).exists()


def test_the_command_names_an_unreadable_verdict(tmp_path: Path):
    (tmp_path / "verdict.json").write_text('{\n  "schema": 2,\n')
    done = CliRunner().invoke(report, ["--build", str(tmp_path)])
    assert isinstance(done.exception, UsageError)
    assert done.exception.where == f"{tmp_path / 'verdict.json'}:3"
