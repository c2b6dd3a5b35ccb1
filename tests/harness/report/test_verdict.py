"""The verdict is GO only when everything that must run ran and passed."""

from dataclasses import replace

import pytest

from harness.core.finding import Finding
from harness.document.base import to_builtins
from harness.document.verdict import NotApplicable
from harness.report.verdict import Exhibit, Suite, Verdict, with_missing
from tests.harness.support.report import JUDGED

GOOD = Suite("forward", passed=3)
CRITICAL = Finding("collect.x", "critical", "test_x.py", "cannot be imported")


def verdict_of(*suites: Suite, complete: bool = True, findings: tuple[Finding, ...] = ()) -> str:
    return Verdict(suites=suites, findings=findings, complete=complete).word


def test_all_passed_is_go():
    assert verdict_of(GOOD, Suite("rollback", passed=1)) == "GO"


@pytest.mark.parametrize(
    "spoiler",
    [
        Suite("rollback", passed=9, failed=1),
        Suite("rollback", passed=9, skipped=1),
        Suite("rollback"),
    ],
    ids=["failed", "skipped", "never ran"],
)
def test_one_bad_suite_is_no_go(spoiler):
    assert verdict_of(GOOD, spoiler) == "NO-GO"


def test_a_run_cut_short_is_no_go():
    assert verdict_of(GOOD, complete=False) == "NO-GO"


def test_no_suite_at_all_is_no_go():
    assert verdict_of() == "NO-GO"


def test_a_critical_finding_is_no_go_though_the_suites_passed():
    assert verdict_of(GOOD, findings=(CRITICAL,)) == "NO-GO"


@pytest.mark.parametrize("word", ["fail", "unknown"])
def test_evidence_that_is_no_pass_is_no_go_and_says_why(word):
    found = Verdict([GOOD], [], complete=True, evidence=[Exhibit("dry_run", word, "it stopped")])
    assert found.word == "NO-GO"
    assert found.reasons() == [f"evidence dry_run: {word}, it stopped"]


def test_a_doubt_about_the_whole_run_is_no_go():
    found = Verdict([GOOD], [], complete=True, doubts=["the plan changed while it was judged"])
    assert (found.word, found.reasons()) == ("NO-GO", ["the plan changed while it was judged"])


def test_a_skip_makes_a_suite_unknown_not_passed():
    assert Suite("forward", passed=5, skipped=1).verdict == "unknown"


def test_an_expected_suite_that_is_absent_is_listed_as_unknown():
    suites = with_missing([GOOD], ["forward", "rollback"])
    assert [(suite.name, suite.verdict) for suite in suites] == [
        ("forward", "pass"),
        ("rollback", "unknown"),
    ]


def test_the_document_says_why_it_is_not_go():
    found = Verdict(
        suites=[Suite("resume", passed=1, failed=2), Suite("crash")],
        findings=[CRITICAL],
        complete=False,
        evidence=[Exhibit("verify", "unknown", "no evidence was left")],
        judged=JUDGED,
    )
    document = found.document()
    assert document.verdict == "NO-GO"
    assert document.reasons == [
        "the run was cut short",
        "resume: 2 of 3 failed",
        "crash: unknown, no test of it ran",
        "evidence verify: unknown, no evidence was left",
        "critical findings: collect.x",
    ]
    assert document.unknowns == ["crash", "verify"]


def test_no_go_always_has_a_reason():
    """A GO has none: what a reader is told and what is decided cannot differ."""
    assert Verdict([GOOD], [], complete=True).reasons() == []
    assert Verdict([GOOD], [CRITICAL], complete=True).reasons()


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        (Suite("back", passed=9, failed=1), "back: 1 of 10 failed"),
        (Suite("back", passed=9, left_out=2), "back: unknown, 2 of its tests left out"),
        (Suite("back"), "back: unknown, no test of it ran"),
        (Suite("back", passed=9, skipped=1), "back: unknown, 9 ran and 1 were skipped"),
        (Suite("back", skipped=4), "back: unknown, 0 ran and 4 were skipped"),
    ],
)
def test_a_suite_that_does_not_pass_is_said_with_its_numbers(suite: Suite, said: str) -> None:
    assert Verdict([suite], [], complete=True).reasons() == [said]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "critical findings: f0"),
        (3, "critical findings: f0, f1, f2"),
        (4, "critical findings: f0, f1, f2 and 1 more"),
        (9, "critical findings: f0, f1, f2 and 6 more"),
    ],
)
def test_three_critical_findings_are_named_and_the_others_counted(number: int, said: str) -> None:
    critical = [Finding(f"f{at}", "critical", "here", "bad") for at in range(number)]
    assert Verdict([GOOD], critical, complete=True).reasons() == [said]


def test_a_suite_that_was_never_begun_took_no_time() -> None:
    assert Suite("back").seconds == 0


def test_suites_that_do_not_apply_are_listed_where_there_are_some() -> None:
    whole = Verdict([GOOD], [], complete=True, judged=JUDGED)
    assert "not_applicable" not in to_builtins(whole.document())
    lacking = NotApplicable("crash", "the plan has no steps")
    document = replace(whole, not_applicable=[lacking]).document()
    assert list(document.not_applicable or ()) == [lacking]
    assert document.verdict == "GO"
