"""Three shards of a real exploration are the whole; a lost, doubled or foreign one is NO-GO."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.crash import coverage_file
from harness.document.base import to_builtins
from harness.document.crash import CrashDocument
from harness.document.merge import MergeDocument
from harness.scenario.merge import merge_files
from tests.harness.scenario.merge.conftest import Explored

TIMED = {"seconds", "points_per_second", "evidence", "state", "states"}
"""What two runs of the same point need not share: how long it took, and process ids."""


@pytest.fixture
def files(explored: Explored, tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.json" for number in (1, 2, 3)]
    for path, shard in zip(paths, explored.shards, strict=True):
        coverage_file.write(shard, path)
    return paths


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: timeless(part) for key, part in value.items() if key not in TIMED}
    return [timeless(part) for part in value] if isinstance(value, list) else value


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


def test_the_merge_of_the_shards_is_the_whole_row_by_row(
    explored: Explored, files: list[Path]
) -> None:
    assert all(0 < len(shard.rows) < len(explored.whole.rows) for shard in explored.shards)
    merged = merge_files(files)
    assert (merged.verdict, merged.reasons) == ("GO", [])
    assert merged.crash is not None
    assert merged.crash.environment.items() >= explored.whole.environment.items()
    left = msgspec.structs.replace(merged.crash, environment={}, notes=())
    right = msgspec.structs.replace(explored.whole, environment={}, notes=())
    assert timeless(to_builtins(left)) == timeless(to_builtins(right))
    assert [row.seconds for row in merged.crash.rows] == [
        next(row.seconds for part in explored.shards for row in part.rows if row.id == point.id)
        for point in explored.whole.rows
    ]


@given(order=st.permutations([0, 1, 2]), again=st.lists(st.integers(0, 2), max_size=2))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    derandomize=True,
    max_examples=15,
)
def test_whatever_the_order_nothing_is_counted_twice(
    explored: Explored, files: list[Path], order: list[int], again: list[int]
) -> None:
    merged = merge_files([files[number] for number in [*order, *again]])
    assert merged.crash is not None
    assert [row.id for row in merged.crash.rows] == [row.id for row in explored.whole.rows]
    doubled = [finding.where for finding in merged.findings if "doubled" in finding.id]
    assert doubled == [str(files[number]) for number in again]
    assert merged.verdict == ("NO-GO" if again else "GO")


@pytest.mark.parametrize("lost", [(1,), (2,), (3,), (1, 2)])
def test_a_lost_shard_is_named_and_its_points_are_missing(
    explored: Explored, files: list[Path], lost: Sequence[int]
) -> None:
    merged = merge_files([file for number, file in enumerate(files, 1) if number not in lost])
    assert merged.verdict == "NO-GO"
    assert [f"shard {number}/3 is lost" in merged.reasons[at] for at, number in enumerate(lost)]
    missing = {row.id for number in lost for row in explored.shards[number - 1].rows}
    assert merged.crash is not None
    assert {point.id for point in merged.crash.missing} == missing
    assert merged.crash.verdict == "fail"


FOREIGN: dict[str, Callable[[dict[str, Any]], object]] = {
    "plan hash": lambda d: d["environment"].update({"plan hash": "f" * 64}),
    "hash of the harness": lambda d: d["environment"].update({"tool hash": "f" * 64}),
    "seed": lambda d: d["environment"].update(seed=7),
    "rows": lambda d: d["environment"].update(rows=7),
    "postgres": lambda d: d["environment"].update(postgres=9),
    "number of shards": lambda d: d["shard"].update(of=4),
    "points": lambda d: d["asked"].update(points=7),
    "another whole": lambda d: d["shard"]["whole"].pop(),
    "no such shard": lambda d: d["shard"].update(index=9),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_foreign_shard_is_named_and_no_point_of_it_counts(files: list[Path], what: str) -> None:
    changed(files[1], FOREIGN[what])
    merged = merge_files(files)
    assert merged.verdict == "NO-GO"
    (foreign,) = (finding for finding in merged.findings if finding.id == "merge.crash.foreign")
    assert foreign.where == str(files[1])
    assert what in foreign.message
    assert "shard 2/3 is lost" in " ".join(merged.reasons)


def test_a_failure_of_one_shard_is_one_of_the_whole(files: list[Path]) -> None:
    def fail(document: dict[str, Any]) -> None:
        document["rows"][0] |= {"verdict": "fail", "outcome": "failed", "reason": "a row is lost"}
        document["verdict"] = "fail"

    merged = merge_files([files[0], changed(files[1], fail), files[2]])
    assert merged.verdict == "NO-GO"
    assert merged.reasons == ["crash: fail, 1 points failed, 0 are unknown"]
    assert merged.crash is not None
    (failure,) = merged.crash.failures
    assert (failure.reason, failure.replay) == ("a row is lost", _line(files[1]))


def _line(path: Path) -> str:
    return str(json.loads(path.read_text())["rows"][0]["replay"])


def test_documents_of_two_plans_are_not_merged(files: list[Path]) -> None:
    changed(files[1], FOREIGN["plan hash"])
    with pytest.raises(UsageError, match="are of two plans"):
        merge_files(files[:2])


def test_a_shard_beside_the_whole_is_too_much(explored: Explored, files: list[Path]) -> None:
    whole = files[0].with_name("whole.json")
    coverage_file.write(explored.whole, whole)
    assert merge_files([whole]).verdict == "GO"
    merged = merge_files([*files, whole])
    assert [finding.id for finding in merged.findings] == ["merge.crash.doubled"]


def harness_merge(*arguments: str | Path, cwd: Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "harness", "merge", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def test_the_command_writes_document_and_page(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "new" / "merged.json"
    status, said, _ = harness_merge(*files, "--out", out, "--json", cwd=tmp_path)
    document = json.loads(said)
    assert status == 0
    assert document.keys() >= {"verdict", "suites", "findings", "figures"}
    assert json.loads(out.read_text()) == document
    assert "✓" in out.with_suffix(".html").read_text()
    assert msgspec.convert(document, MergeDocument).crash == merge_files(files).crash
    assert merge_files([out]).verdict == "GO"
    assert [finding.id for finding in merge_files([out, files[0]]).findings] != []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", ":1: is not JSON"),
        ("{}", "is no verdict, crash ledger"),
        ('{"schema_version": 1}', "is not a ledger of a crash exploration"),
        ('{"merge_schema": 99}', "is not a merged document"),
    ],
)
def test_what_cannot_be_merged_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UsageError, match=said):
        merge_files([tmp_path / "a.json"])


def test_a_refusal_writes_nothing(tmp_path: Path) -> None:
    status, out, err = harness_merge("a.json", "--out", "b.json", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert "a.json: the file cannot be read" in err
    assert list(tmp_path.iterdir()) == []


def test_every_pair_of_shards_is_disjoint(explored: Explored) -> None:
    for one, other in itertools.combinations(explored.shards, 2):
        assert not _ids(one) & _ids(other)


def _ids(document: CrashDocument) -> set[str]:
    return {row.id for row in document.rows}
