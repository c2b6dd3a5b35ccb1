"""Two saved files: judged by pairs where there are some, refused where they are unlike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.document.comparison import ComparedRefDocument, ComparisonDocument
from harness.report.comparison import comparison_markdown, render_comparison
from harness.scenario.bench.compare.benchmark import compared_benchmark
from harness.scenario.bench.compare.judge import comparison_lines, rule_document, word_of
from harness.scenario.bench.compare.rule import RULE
from harness.scenario.bench.compare.sample import SamplePair
from harness.scenario.bench.compare.saved import APART, compare_saved, saved_runs
from tests.harness.scenario.bench.rounds import COMMITS, dice, machine, round_of


def measured() -> tuple[ComparisonDocument, dict[str, list[list[SamplePair]]]]:
    """A comparison in which `slow` is slower twice, and `even` is the same."""
    rounds = {
        "slow": [round_of(machine(dice(seed)), slowdown=1.3) for seed in (1, 2)],
        "even": [round_of(machine(dice(3), noise=0.02))],
        "<b>|*odd*|</b>": [round_of(machine(dice(4), noise=0.5))],
    }
    benchmarks = [compared_benchmark(name, one, COMMITS, RULE) for name, one in rounds.items()]
    document = ComparisonDocument(
        verdict=word_of(benchmarks),
        base=ComparedRefDocument(ref="main", commit=COMMITS["base"]),
        head=ComparedRefDocument(ref="<i>x</i>", commit=COMMITS["head"]),
        benchmarks=benchmarks, rule=rule_document(RULE), rows=1000, seed=1, seconds=60,
        machine={"cpu": "one", "cores": 2, "postgres": "18.0"},
    )  # fmt: skip
    return document, rounds


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    base, head = tmp_path / "base.json", tmp_path / "head.json"
    runs = saved_runs(*measured())
    base.write_text(json.dumps(runs["base"]))
    head.write_text(json.dumps(runs["head"]))
    return base, head


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_saved_pairs_are_judged_as_they_were(files: tuple[Path, Path]) -> None:
    again, (first, _) = compare_saved(*files), measured()
    assert again.benchmarks == first.benchmarks
    assert again.verdict == "fail"


def test_runs_without_pairs_cannot_tell_but_their_medians(files: tuple[Path, Path]) -> None:
    for path in files:
        changed(path, lambda run: [one.update(extra_info={}) for one in run["benchmarks"]])
    found = compare_saved(*files)
    assert found.verdict == "unknown"
    assert {(one.verdict, one.why) for one in found.benchmarks} == {("cannot tell", APART)}
    assert all(one.base_seconds for one in found.benchmarks)


def test_pairs_of_two_comparisons_are_none(files: tuple[Path, Path]) -> None:
    changed(files[1], lambda run: run["benchmarks"][0]["extra_info"].update(comparison="other"))
    assert compare_saved(*files).benchmarks[0].why == APART


def test_what_one_file_lacks_is_said(files: tuple[Path, Path]) -> None:
    changed(files[0], lambda run: run["benchmarks"].pop(1))
    assert compare_saved(*files).added == ["even"]
    assert any(
        "even" in line and "only head" in line for line in comparison_lines(compare_saved(*files))
    )


UNLIKE: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "machine": (lambda run: run["machine_info"].update(node="elsewhere"), "machines differ .node"),
    "processor": (lambda run: run["machine_info"]["cpu"].update(count=64), "base 2, head 64"),
    "postgres": (lambda run: run["machine_info"].update(postgres="15.1"), "postgres: base 18.0"),
    "rows": (
        lambda run: run["benchmarks"][0]["extra_info"].update(rows=9), "rows of slow is 1000"
    ),
    "no benchmark": (lambda run: run["benchmarks"].clear(), "holds no benchmark"),
    "twice": (lambda run: run["benchmarks"].append(run["benchmarks"][0]), "'slow' twice"),
    "no run": (lambda run: run.pop("benchmarks"), "the key 'benchmarks' is missing"),
    "no time": (lambda run: run["benchmarks"][0]["stats"].update(median="x"), "median"),
    "flawed pairs": (
        lambda run: run["benchmarks"][0]["extra_info"].update(rounds=[[{"commit": 1}]]),
        "slow: its pairs cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNLIKE)
def test_unlike_and_flawed_files_are_refused(name: str, files: tuple[Path, Path]) -> None:
    change, reason = UNLIKE[name]
    changed(files[1], change)
    with pytest.raises(UsageError, match=reason):
        compare_saved(*files)


def test_files_the_wrong_way_round_are_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="the first file is of head and the second of base"):
        compare_saved(*reversed(files))


def test_a_round_that_was_tampered_with_cannot_tell(files: tuple[Path, Path]) -> None:
    def no_runs(run: dict[str, Any]) -> None:
        for sample in run["benchmarks"][0]["extra_info"]["rounds"][0]:
            sample["seconds"] = []

    changed(files[1], no_runs)
    found = compare_saved(*files).benchmarks[0]
    assert (found.verdict, found.ratio) == ("cannot tell", None)
    assert "0 runs, not 5" in found.why


def test_the_page_stands_alone_and_shows_every_benchmark() -> None:
    document, _ = measured()
    page = render_comparison(document)
    assert len(page.encode()) < 500_000
    assert not any(word in page for word in ("<script", "http://", "https://", "src=", "<b>|*odd"))
    assert page.count('class="interval') == 3
    assert "slower, confirmed" in page
    assert "prefers-color-scheme: dark" in page


def test_the_markdown_has_a_plot_a_row_and_no_foreign_markup() -> None:
    text = comparison_markdown(measured()[0])
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert all("●" in row for row in rows[2:])
    assert "❌ slower, confirmed" in text
    assert "<b>" not in text.replace("\\<b\\>", "")
