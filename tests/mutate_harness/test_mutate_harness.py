"""The judge of the harness's own mutants: what it makes, whom it asks, what it lets pass."""

from __future__ import annotations

import fnmatch
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mutate_harness import __main__ as command
from tests.mutate_harness import covering as covers
from tests.mutate_harness import run, seen
from tests.mutate_harness.follower import FILE, TEST, function_name
from tests.mutate_harness.judging import Bench
from tests.mutate_harness.model import ROOT, files, mutants_of

DELAY = "harness/runner/backoff.py"

CHANGES = [
    ("DropStatement", "run(a)", "pass"),
    ("DropStatement", "raise ValueError(a)", "pass"),
    ("DropStatement", "self.rows += 1", "pass"),
    ("ReturnNothing", "return a + b", "return None"),
    ("DropKeyword", "f(a, b=1)", "f(a)"),
    ("DropKeyword", "f(b=1, c=2)", "f(c=2)"),
    ("DropKeyword", "f(b=1)", "f()"),
    ("InvertMembership", "x = a in b", "x = a not in b"),
    ("ChangeQuery", "x = 'SELECT 1 FOR UPDATE'", "x = 'SELECT 1'"),
    ("ChangeQuery", "x = 'SELECT a AND b'", "x = 'SELECT a or b'"),
    ("NextNumber", "x = 3", "x = 4"),
    ("AddNot", "if a:\n        pass", "if not a:\n        pass"),
    ("ReplaceComparisonOperator_Lt_LtE", "x = a < b", "x = a <= b"),
    ("ExceptionReplacer", "try:\n        f()\n    except KeyError:\n        g()", "CosmicRay"),
]


@pytest.mark.parametrize(("operator", "before", "after"), CHANGES)
def test_an_operator_changes_one_thing(
    operator: str, before: str, after: str, tmp_path: Path
) -> None:
    made = _mutants(tmp_path, f"def work(self, a, b):\n    {before}\n")
    codes = [m.code(tmp_path) for m in made if m.operator == operator]
    assert any(after in code and before not in code for code in codes)


def test_what_only_types_say_has_no_mutants(tmp_path: Path) -> None:
    text = "def work(a: int | None = None, *, b: int) -> str | None:\n    pass\n\n\n"
    text += "class A(Base, frozen=True, kw_only=True):\n    pass\n"
    assert not _mutants(tmp_path, text)


def test_a_docstring_is_no_query(tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text(
        'def f():\n    """Drop this and that."""\n    return "drop this and that"\n'
    )
    (changed,) = [m for m in mutants_of("made.py", tmp_path) if m.operator == "ChangeQuery"]
    assert changed.line == 3


def test_a_hint_is_left_to_the_policy(tmp_path: Path) -> None:
    made = _mutants(tmp_path, "def work():\n    raise Refused('no', where='a', hint='b')\n")
    dropped = [m.change(tmp_path) for m in made if m.operator == "DropKeyword"]
    assert dropped == ["raise Refused('no', where='a', hint='b') -> raise Refused('no', hint='b')"]


def test_an_edit_elsewhere_leaves_the_name_of_a_mutant(tmp_path: Path) -> None:
    text = "def work(a):\n    return a == 1\n"
    names = {m.id for m in _mutants(tmp_path, text)}
    later = {m.id for m in _mutants(tmp_path, f"def other(b):\n    return b == 2\n\n\n{text}")}
    assert names < later


def _mutants(root: Path, text: str) -> tuple[Any, ...]:
    (root / "harness").mkdir(exist_ok=True)
    (root / "harness" / "made.py").write_text(text)
    mutants_of.cache_clear()
    return mutants_of("harness/made.py", root)


def test_the_map_prefers_tests_that_reach_little_else(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    lines = ["t::broad\tharness/a.py\tf", "t::sharp\tharness/a.py\tf", "t::red\tharness/a.py\tf"]
    lines += [f"t::broad\tharness/a.py\tg{number}" for number in range(9)]
    lines += ["t::broad\t=\t0.100\tpassed", "t::sharp\t=\t0.010\tpassed", "t::red\t=\t0.1\tfailed"]
    trace.write_text("\n".join(lines))
    covering = covers.make_map([trace])
    assert covering.of("harness/a.py", "f") == ("t::sharp", "t::broad")
    assert covering.affordable(("t::broad", "t::sharp"), 0.105) == ("t::broad",)
    covers.write_map(covering, tmp_path / "map.json")
    assert covers.read_map(tmp_path / "map.json") == covering
    assert covers.flaws(covers.Covering({}), covering)  # a map that knows nothing is found


def test_an_extended_map_keeps_what_is_still_there_and_says_what_was_not_traced() -> None:
    here = "tests/mutate_harness/test_mutate_harness.py"
    kept, gone = f"{here}::test_shards_are_disjoint_and_complete", f"{here}::test_no_more"
    old = covers.Covering({DELAY: {"f": (kept, gone)}}, {kept: 1.0, gone: 1.0}, (here,))
    new = covers.Covering(
        {DELAY: {"g": ("tests/harness/test_words.py::test_it",)}},
        {"tests/harness/test_words.py::test_it": 0.1},
    )
    both = covers.extend_map(old, new)
    assert both.functions == {DELAY: {"f": (kept,), "g": ("tests/harness/test_words.py::test_it",)}}
    assert here in both.untraced
    traced = covers.Covering(old.functions, old.seconds)
    assert here not in covers.extend_map(traced, new).untraced  # what was traced once is known
    # what a test of an untraced file reaches is no flaw of a map that says so
    reached = covers.Covering({DELAY: {"h": (kept,)}}, {kept: 1.0})
    assert not covers.flaws(both, reached)
    assert covers.flaws(covers.Covering(both.functions, both.seconds), reached)


def test_a_child_that_is_killed_has_told_what_it_reached(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    site = ROOT / "tests" / "mutate_harness" / "site"
    call = "from harness.database import admin; admin.unique_name('x')"
    child = subprocess.Popen(
        [sys.executable, "-c", f"{call}; print(1, flush=True); input()"],
        env=os.environ
        | {FILE: str(trace), TEST: "t::killed", "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
    )
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert "t::killed\tharness/database/admin.py\tunique_name" in trace.read_text().splitlines()


def test_a_function_in_a_function_has_the_name_that_mutants_know() -> None:
    assert function_name("A.f.<locals>.g.<locals>.<lambda>") == "A.f.g"
    assert function_name("<module>") == "(module)"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("mutate") / "bench")
    yield made
    made.close()


def test_a_slow_machine_hangs_no_mutant(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # the map knows nothing of the time that its tests take here, and the first wait is too short
    monkeypatch.setattr("tests.mutate_harness.judging.START", 0.01)
    test = "tests/harness/test_slow.py"
    (bench.place / test).write_text("def test_it():\n    pass\n")
    mutant = mutants_of(DELAY)[0]
    covering = covers.Covering(
        {DELAY: {mutant.function: (f"{test}::test_it",)}}, {f"{test}::test_it": 0.0}
    )
    assert bench.judge(mutant, covering).state == "survived"


@pytest.mark.parametrize(
    ("body", "state"), [("assert double(2) == 4", "killed"), ("double(2)", "survived")]
)
def test_a_mutant_is_killed_by_a_test_that_asks_and_survives_one_that_only_runs(
    body: str, state: str, bench: Bench
) -> None:
    made = "def double(number):\n    return number + number\n"
    root = bench.place
    (root / "harness" / "planted.py").write_text(made)
    test = "tests/harness/test_planted.py"
    (root / test).write_text(
        f"from harness.planted import double\n\n\ndef test_it():\n    {body}\n"
    )
    mutants_of.cache_clear()
    mutant = next(m for m in mutants_of("harness/planted.py", root) if "Add_Sub" in m.operator)
    covering = covers.Covering({"harness/planted.py": {"double": (f"{test}::test_it",)}})
    assert bench.judge(mutant, covering, root).state == state
    assert (root / "harness" / "planted.py").read_text() == made


def test_a_mutant_that_no_test_reaches_is_no_kill(bench: Bench) -> None:
    mutant = mutants_of(DELAY)[0]
    assert bench.judge(mutant, covers.Covering({})).state == "unreached"


def test_tests_that_fail_by_themselves_judge_nothing(bench: Bench) -> None:
    test = "tests/harness/test_red.py"
    (bench.place / test).write_text("def test_it():\n    assert False\n")
    mutant = mutants_of(DELAY)[0]
    covering = covers.Covering({DELAY: {mutant.function: (f"{test}::test_it",)}})
    with pytest.raises(RuntimeError, match="fail without a mutant"):
        bench.judge(mutant, covering)


def test_a_killer_that_is_gone_is_no_survivor_and_no_kill(bench: Bench) -> None:
    test = "tests/harness/test_there.py"
    (bench.place / test).write_text("def test_it():\n    pass\n")
    mutant = mutants_of(DELAY)[0]
    covering = covers.Covering({DELAY: {mutant.function: (f"{test}::test_it",)}})
    for gone in (f"{test}::test_gone", "tests/harness/test_gone.py::test_it"):
        with pytest.raises(RuntimeError, match="not there any more"):
            bench.judge(mutant, covering, killer=gone)
    assert bench.judge(mutant, covering, killer=f"{test}::test_it").state == "survived"


def test_a_case_that_is_gone_is_left_out_of_those_asked_together(bench: Bench) -> None:
    test = "tests/harness/test_cases_there.py"
    (bench.place / test).write_text(
        "import pytest\n\n@pytest.mark.parametrize('a', ['x[0]', 'y'])\ndef test_it(a):\n    pass\n"
    )
    mutant = mutants_of(DELAY)[0]
    there, gone = f"{test}::test_it[x[0]]", f"{test}::test_it[z[1]: gone]"
    covering = covers.Covering({DELAY: {mutant.function: (gone, there)}})
    assert bench.judge(mutant, covering).state == "survived"


def test_a_mutant_that_nothing_can_import_takes_no_test_away(bench: Bench) -> None:
    path, rooms = "harness/broken.py", bench.place / "tests" / "broken"
    made = "PAIR = [1] + [2]\n\n\ndef add(a, b):\n    return a + b\n"
    (bench.place / path).write_text(made)
    rooms.mkdir()
    (rooms / "conftest.py").write_text("from harness.broken import add\n")  # pytest stops at once
    (rooms / "test_it.py").write_text(
        "from harness.broken import add\n\n\ndef test_it():\n    assert add(1, 2) == 3\n"
    )
    mutants_of.cache_clear()
    found = [m for m in mutants_of(path, bench.place) if "Add_Sub" in m.operator]
    covering = covers.Covering({path: {"add": ("tests/broken/test_it.py::test_it",)}})
    states = [bench.judge(mutant, covering, bench.place).state for mutant in found]
    assert states == ["killed", "killed"]


def test_what_ci_asks_is_listed_and_still_there(tmp_path: Path) -> None:
    first, second, third = mutants_of(DELAY)[:3]
    rows = [
        {"id": first.id, "state": "killed", "by": "tests/t.py::t"},
        {"id": second.id, "state": "hung", "by": "no end in 9 s"},
        {"id": third.id, "state": "killed", "by": "tests/t.py::t"},
        {"id": third.id, "state": "survived", "by": ""},  # the last word counts
    ]
    results = tmp_path / "results.jsonl"
    results.write_text("".join(json.dumps(row) + "\n" for row in rows))
    killed = seen.killed_in([results])
    assert killed == {first.id: "tests/t.py::t"}
    seen.write_seen(killed, tmp_path / "seen.tsv")
    assert seen.read_seen(tmp_path / "seen.tsv") == killed
    assert seen.still_there(killed) == [first]
    assert not seen.still_there([f"{DELAY}::delay::AddNot::00000000", "harness/gone.py::f::A::0"])


def test_nothing_judged_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.report([], 0, {}) == 1
    assert "nothing was judged" in capsys.readouterr().out


def test_tests_that_take_too_long_by_themselves_judge_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.mutate_harness.judging.START", 0.01)
    monkeypatch.setattr("tests.mutate_harness.judging.SOUND", 0.01)
    mutant = mutants_of(DELAY)[0]
    test = "tests/mutate_harness/test_mutate_harness.py::test_shards_are_disjoint_and_complete"
    covering = covers.Covering({DELAY: {mutant.function: (test,)}}, {test: 0.0})
    with pytest.raises(RuntimeError, match="no end in time"):
        bench.judge(mutant, covering)


ROW = {"id": "harness/runner/ledger.py::f::AddNot::0", "change": "if a -> if not a"}


def _declared(change: str, kind: str = "equivalent") -> dict[str, run.Declared]:
    return {ROW["id"]: run.Declared(kind, change, "read, and the same")}


@pytest.mark.parametrize(
    ("declared", "status"),
    [
        ({}, 1),
        (_declared("if a -> if not a"), 0),
        (_declared("if b -> if not b"), 1),  # the line was edited since somebody read it
        (_declared("if a -> if not a", "survivor"), 0),
    ],
)
def test_a_survivor_fails_unless_this_very_change_is_declared(
    declared: dict[str, run.Declared], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.report([ROW | {"state": "survived"}], 1, declared) == status
    assert "1 of 1 mutants tried" in capsys.readouterr().out


def test_tests_that_judge_nothing_fail_where_they_are_many(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [ROW | {"state": "killed"}] * 30
    assert command.report([*rows, ROW | {"state": "unjudged"}], 31, {}) == 0
    assert command.report([*rows[:10], ROW | {"state": "unjudged"}], 11, {}) == 1
    assert "too many could not be judged" in capsys.readouterr().out


def test_a_declaration_needs_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "declared.toml"
    file.write_text('[[equivalent]]\nid = "a"\nchange = "b"\nreason = " "\n')
    with pytest.raises(ValueError, match="without a reason"):
        run.read_declared(file)


def test_what_is_declared_is_still_there() -> None:
    declared = run.read_declared()
    paths = {name.split("::")[0] for name in declared}
    there = {mutant.id: mutant for path in paths for mutant in mutants_of(path)}
    gone = [name for name, entry in declared.items() if _change(there.get(name)) != entry.change]
    assert not gone


def _change(mutant: Any) -> str | None:
    return mutant.change() if mutant else None


def test_shards_are_disjoint_and_complete() -> None:
    whole = run.chosen(run.Settings(only=DELAY))
    parts = [run.chosen(run.Settings(only=DELAY, shard=(part, 3))) for part in (1, 2, 3)]
    assert sorted(m.id for part in parts for m in part) == sorted(m.id for m in whole)


def test_a_killed_mutant_is_not_asked_again_and_a_survivor_is(tmp_path: Path) -> None:
    from tests.mutate_harness.judging import Judgement

    first, second = mutants_of(DELAY)[:2]
    results = run.Results(tmp_path / "results.jsonl", fresh=False)
    results.keep(Judgement(first, "killed", "a -> b", "t", 1.0))
    results.keep(Judgement(second, "survived", "a -> b", "", 1.0))
    again = run.Results(tmp_path / "results.jsonl", fresh=False)
    assert again.known(first)
    assert not again.known(second)


def test_every_pattern_of_a_scope_fits_a_file() -> None:
    paths = files()
    unfit = [p for p in (*run.EXHAUSTIVE, *run.SAMPLED) if not fnmatch.filter(paths, p)]
    assert not unfit
