"""The shards of a gate have all of its suites, each in one of them, and wait for nothing else."""

from __future__ import annotations

from pathlib import Path

from harness import plan
from harness.core.shard import Shard
from harness.document.costs import NO_COSTS, Costs
from harness.scenario.gate import discover
from harness.scenario.gate.discovery import Suites
from harness.scenario.gate.share import shard_document, take_share
from harness.subject.project import find_project

ROOT = Path(__file__).parents[4]


def reference(*, full: bool = False) -> Suites:
    project = find_project(ROOT)
    return discover(plan.load(ROOT / "sql" / "plan.toml"), ROOT, project, full=full)


def test_every_suite_is_in_one_shard() -> None:
    whole = reference(full=True)
    shards = [take_share(whole, Shard(index, 3), NO_COSTS) for index in (1, 2, 3)]
    names = [name for shard in shards for name in shard.expected]
    assert sorted(names) == sorted(whole.expected)
    evidence = [name for shard in shards for name in shard.evidence]
    assert set(evidence) == set(whole.evidence)
    tests = [test.nodeid for shard in shards for test in shard.defined()]
    assert sorted(tests) == sorted(test.nodeid for test in whole.defined())
    assert take_share(whole, None, NO_COSTS) == whole


def test_shards_are_cut_by_what_was_measured() -> None:
    whole = reference()
    costs = Costs(dict.fromkeys(whole.expected, 0.1) | {"contract": 100.0})
    (only,) = take_share(whole, Shard(1, 3), costs).expected
    assert only == "contract"


def test_a_shard_says_what_the_whole_is() -> None:
    whole = reference()
    found = shard_document(take_share(whole, Shard(2, 3), NO_COSTS), Shard(2, 3), NO_COSTS)
    assert found
    assert (found.index, found.of, tuple(found.whole)) == (2, 3, whole.expected)
