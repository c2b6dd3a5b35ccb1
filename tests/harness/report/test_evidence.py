"""Evidence that is absent, unreadable or contradicts itself is unknown, and says why."""

from pathlib import Path
from typing import Any

import pytest

from harness.core.jsonfile import PARTIAL
from harness.document.base import from_builtins
from harness.document.dry_run import DryRunDocument
from harness.document.security import SecurityDocument
from harness.document.verdict import EvidenceCount
from harness.document.verify import VerifyDocument
from harness.report import crash_page, evidence
from harness.report.matrix import AccessLine, draw_matrix
from harness.report.section.model import Section
from harness.report.section.registry import list_required
from harness.report.timeline import RunTimeline, draw_timeline
from tests.harness.support.report import (
    FINDING,
    VALIDATE,
    VERIFY,
    crash,
    documents,
    dry_run,
    in_order,
    left,
    lock,
    matrix,
    step,
)

EVIDENCE = list_required()


def gathered(directory: Path) -> dict[str, evidence.EvidencePiece]:
    return {piece.name: piece for piece in evidence.gather(directory, EVIDENCE)}


def test_good_evidence_passes_and_can_be_looked_at(tmp_path: Path):
    found = gathered(left(tmp_path))
    assert list(found) == list(EVIDENCE)
    assert {piece.verdict for piece in found.values()} == {"pass"}
    shown = {name for name, piece in found.items() if piece.section.template is not None}
    assert shown == {"dry_run", "verify", "security", "crash", "acceptance", "live"}
    assert all(piece.document is not None for piece in found.values())


@pytest.mark.parametrize("name", EVIDENCE)
def test_evidence_that_nobody_left_is_unknown(tmp_path: Path, name: str):
    left(tmp_path, **{stem: None for stem in documents() if stem.startswith(name)})
    piece = gathered(tmp_path)[name]
    assert (piece.verdict, piece.reason) == ("unknown", "no evidence was left")


@pytest.mark.parametrize(
    ("name", "planted", "reason"),
    [
        ("validate", "{", "validate.json:1 is not JSON"),
        ("validate", '{"verdict": NaN}', "validate.json:1 is not JSON: it holds NaN"),
        ("validate", '{"a": 1, "a": 1}', "validate.json:1 has the key 'a' twice"),
        ("validate", [], "validate.json: $: expected object, got array"),
        ("validate", {"findings": []}, "validate.json: $: the key 'verdict' is missing"),
        ("validate", VALIDATE | {"verdict": "fine"}, "$.verdict: invalid enum value 'fine'"),
        ("validate", VALIDATE | {"findings": {}}, "$.findings: expected array, got object"),
        ("validate", VALIDATE | {"findings": [FINDING]}, "says pass but found quality."),
        ("dry_run", dry_run(step(1, seconds="1")), "$.steps[0].seconds: expected float, got str"),
        ("verify", VERIFY | {"samples": [{}]}, "$.samples[0]: the key 'relation' is missing"),
        ("security", {"verdict": "pass", "findings": []}, "the key 'roles' is missing"),
        ("crash.forward", crash("forward") | {"rows": [{"id": "x"}]}, "$.rows[0]: the key 'domain"),
        ("crash.forward", crash("forward") | {"steps": []}, "$.steps: it does not begin and end"),
        (
            "resume",
            {"counted": [{"what": "steps", "done": "all"}]},
            "$.counted[0].done: exp",
        ),
        ("mine", {"verdict": "perhaps", "findings": []}, "mine.json: $.verdict: invalid enum"),
    ],
)
def test_misshapen_evidence_is_unknown_and_says_why(tmp_path: Path, name, planted, reason):
    piece = gathered(left(tmp_path, **{name: planted}))[name.split(".")[0]]
    assert piece.verdict == "unknown"
    assert reason in piece.reason


def test_a_finding_of_evidence_is_kept_and_its_failure_names_the_worst(tmp_path: Path):
    mild = FINDING | {"severity": "warning", "message": "mild"}
    planted = VALIDATE | {"verdict": "fail", "findings": [mild, FINDING]}
    piece = gathered(left(tmp_path, validate=planted))["validate"]
    assert piece.verdict == "fail"
    assert piece.reason == f"public.companies: {FINDING['message']}"
    assert [finding.severity for finding in piece.findings] == ["warning", "critical"]


def test_a_failed_crash_point_is_a_finding_with_its_replay_line(tmp_path: Path):
    found = gathered(left(tmp_path, **{"crash.rollback": crash("rollback", "failed")}))["crash"]
    assert found.verdict == "fail"
    (finding,) = found.findings
    assert (finding.severity, finding.message) == ("critical", "a row is lost")
    assert "harness crash --replay it" in finding.hint
    assert [map_.direction for map_ in crash_page.maps(found.document)] == ["forward", "rollback"]


def test_evidence_is_kept_only_during_a_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(evidence.VARIABLE, raising=False)
    evidence.keep("verify", {"verdict": "pass"})
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv(evidence.VARIABLE, str(tmp_path / "evidence"))
    evidence.keep("verify", documents()["verify"])
    assert gathered(tmp_path / "evidence")["verify"].verdict == "pass"
    evidence.forget(tmp_path / "evidence")
    assert gathered(tmp_path / "evidence")["verify"].verdict == "unknown"


def test_what_several_tests_count_is_put_together(tmp_path: Path, monkeypatch):
    monkeypatch.setenv(evidence.VARIABLE, str(tmp_path))
    for one in ("1", "2", "2"):
        evidence.count("rollback", "steps", [one], ["1", "2", "3"])
    piece = gathered(tmp_path)["rollback"]
    assert (piece.verdict, piece.reason) == ("unknown", "2 of 3 steps, without 3")
    evidence.count("rollback", "steps", ["3"], ["1", "2", "3"])
    evidence.count("rollback", "points", ["a"], ["a", "b"], sample=True)
    piece = gathered(tmp_path)["rollback"]
    assert piece.verdict == "pass"
    assert [str(count) for count in piece.counts] == ["1 of 2 points, a sample", "3 of 3 steps"]
    evidence.count("rollback", "ways", [], [])
    assert gathered(tmp_path)["rollback"].reason == "none of ways"


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_a_document_that_says_more_stands_for_what_passed(tmp_path: Path, verdict: str) -> None:
    fuller = from_builtins(VERIFY | {"verdict": "fail"}, VerifyDocument)
    counts = (EvidenceCount("rows", 2, 2),)
    section = Section("mine", find_fuller=lambda _build, _own: fuller, counts=lambda _own: counts)
    piece = evidence.EvidencePiece(section, verdict, "why", from_builtins(VERIFY, VerifyDocument))
    shown = evidence.find_fuller(piece, tmp_path)
    if verdict == "pass":
        assert (shown.document, shown.verdict, shown.counts) == (fuller, "fail", counts)
        assert shown.name == "mine"
    else:
        assert shown is piece


def test_a_sample_of_crash_points_is_told_of_all_that_there_are(tmp_path: Path):
    some = crash("forward") | {"enumerated": {"wire": {"forward": 12384}}}
    (count,) = gathered(left(tmp_path, **{"crash.forward": some}))["crash"].counts
    assert str(count) == "2 of 12,384 crash points struck, a sample"


def test_the_error_of_times_said_to_be_left_is_a_figure_where_some_was_said(
    tmp_path: Path,
) -> None:
    said = dry_run(step(1)) | {"eta_error_percent": 12.5}
    assert gathered(left(tmp_path, dry_run=said))["dry_run"].figures["eta_error_percent"] == 12.5
    unsaid = gathered(left(tmp_path, dry_run=dry_run(step(1))))["dry_run"]
    assert "eta_error_percent" not in unsaid.figures


def runs(*steps: dict[str, Any]) -> tuple[RunTimeline, ...]:
    return draw_timeline(from_builtins(dry_run(*steps), DryRunDocument)).runs


def test_bars_follow_each_other_and_fill_the_run() -> None:
    forward, rollback = runs(*in_order(step(1), step(3), step(2, "rollback")))
    assert [(bar.begin, bar.width) for bar in forward.bars] == [(0, 25), (25, 75)]
    assert (forward.seconds, rollback.seconds) == (4, 2)


def test_a_pause_between_steps_is_seen() -> None:
    (run,) = runs(step(1, began=10.0), step(1, began=13.0))
    assert [(bar.begin, bar.width) for bar in run.bars] == [(0, 25), (75, 25)]
    assert run.seconds == 4


def test_a_step_shows_the_lock_that_users_notice_most() -> None:
    locks = [
        lock("", 9.0),
        lock("writes to 20 rows", 8.0),
        lock("reads and writes", 0.1),
        lock("writes", 5.0, rewrites=True),
    ]
    (run,) = runs(step(2, rows=100, locks=locks))
    (bar,) = run.bars
    assert bar.worst is not None
    assert (bar.worst.stops, bar.worst.seconds, bar.rewrites) == ("reads and writes", 0.1, True)
    assert bar.rate == 50


def relation(*sides: str, **more: Any) -> AccessLine:
    return draw_matrix(from_builtins(matrix(*sides, **more), SecurityDocument)).relations[0]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("denied", "denied", "none"),
        ("all", "all", "allowed"),
        ("some", "some", "some"),
        ("denied", "all", "gained"),
        ("some", "all", "gained"),
        ("all", "none", "lost"),
        ("all", "unknown", "unknown"),
        ("empty", "all", "allowed"),  # rows came: whether one is let through is another's answer
    ],
)
def test_a_mark_says_which_way_a_privilege_went(before: str, after: str, change: str):
    line = relation(before, after)
    assert line.cells[0][0].change == change
    assert line.changed == (change in ("gained", "lost"))


def test_a_new_relation_has_nothing_to_be_compared_with():
    line = relation("denied", "all", before=None, new=True)
    assert (line.state, line.changed) == ("new", True)
    assert line.cells[0][0].change == "allowed"


def test_without_a_database_from_before_nothing_is_called_new_or_gained():
    line = relation("denied", "all", before=None, new=False)
    assert (line.state, line.changed) == ("", False)


def test_a_function_that_a_role_may_call_now_is_gained():
    assert (
        draw_matrix(from_builtins(matrix(), SecurityDocument)).functions[0].cells[0][0].shown
        == "+X"
    )


def test_an_explained_change_carries_its_reason():
    line = relation("all", "denied", explained={"anon select": "it was a mistake"})
    mark = line.cells[0][0]
    assert (mark.change, mark.explained) == ("lost", "it was a mistake")


def test_counted_parts_of_a_kind_that_nobody_registered_are_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(evidence.VARIABLE, str(tmp_path))
    evidence.count("mine", "things", ["a"], ["a", "b"])
    evidence.keep("whole", {"verdict": "pass", "findings": []})
    mine, whole = evidence.gather(tmp_path, [])
    assert (mine.verdict, mine.reason) == ("unknown", "1 of 2 things, without b")
    assert (whole.verdict, whole.counts) == ("pass", ())
    evidence.keep("mine.whole", {"verdict": "pass", "findings": []})  # no longer counted alone
    assert evidence.gather(tmp_path, [])[0].verdict == "unknown"


def test_evidence_that_cannot_be_opened_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "validate.json").mkdir()
    piece = gathered(tmp_path)["validate"]
    assert (piece.verdict, piece.document) == ("unknown", None)
    assert piece.reason.startswith("validate.json cannot be read: ")


def test_a_section_that_breaks_leaves_its_evidence_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_documents: Any) -> Any:
        raise ZeroDivisionError("of \n another package")

    monkeypatch.setattr(evidence, "find_section", lambda name: Section(name, merge=broken))
    (piece,) = evidence.gather(left(tmp_path, **dict.fromkeys(documents())), ["validate"])
    assert (piece.verdict, piece.reason) == ("unknown", "no evidence was left")
    (piece, *_) = evidence.gather(left(tmp_path), ["validate"])
    wanted = "it cannot be judged: ZeroDivisionError: of another package"
    assert (piece.verdict, piece.reason) == ("unknown", wanted)


def test_the_parts_of_one_kind_are_named_where_they_disagree(tmp_path: Path) -> None:
    twice = {"crash.forward": crash("forward"), "crash.again": crash("forward") | {"steps": []}}
    piece = gathered(left(tmp_path, **twice))["crash"]
    assert piece.verdict == "unknown"
    assert piece.reason.startswith("crash.again.json")
    assert piece.exhibit.verdict == "unknown"


def test_nothing_that_an_earlier_gate_left_speaks_for_this_one(tmp_path: Path) -> None:
    kept = [tmp_path / name for name in ("a.json", f"b.json{PARTIAL}", "notes.txt")]
    for path in kept:
        path.write_text("{}")
    evidence.forget(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
