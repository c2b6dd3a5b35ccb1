"""The map of tests: which of them reach a function of the harness, the sharpest first.

`python -m tests.mutate_harness map TRACE...` makes map.json of what tracing.py wrote in a whole
run; the file is committed, so that judging a mutant needs no such run.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .model import ROOT

MAP: Final = Path(__file__).with_name("map.json")
FAST, SHARP, NEAR = 8, 12, 60
"""Tests a function keeps: the fastest, those that reach the least besides; of its whole file."""


@dataclass(frozen=True)
class Covering:
    """Tests by file and function, how long each took, and the files of tests not yet traced."""

    functions: Mapping[str, Mapping[str, tuple[str, ...]]]
    seconds: Mapping[str, float] = field(default_factory=dict)
    untraced: tuple[str, ...] = ()

    def cost(self, tests: Iterable[str]) -> float:
        """How many seconds these tests take together, as far as is known."""
        return sum(self.seconds.get(test, 1.0) for test in tests)

    def affordable(self, tests: Iterable[str], budget: float) -> tuple[str, ...]:
        """As many of the tests, in their order, as take `budget` seconds; the first in any case."""
        taken: list[str] = []
        for test in tests:
            if not taken or self.cost([*taken, test]) <= budget:
                taken.append(test)
        return tuple(taken)

    def of(self, path: str, function: str) -> tuple[str, ...]:
        """The tests of a function; of the whole file where it is no function's."""
        known = self.functions.get(path, {})
        if function in known:
            return known[function]
        inner = [tests for name, tests in known.items() if name.startswith(function + ".")]
        return _merged(inner or known.values()) if inner or function == "(module)" else ()

    def near(self, path: str) -> tuple[str, ...]:
        """Tests of all functions of a file: what is asked when a function's own see nothing."""
        return _merged(self.functions.get(path, {}).values())


def _merged(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The first of each, then the second of each and so on, each test once."""
    lists = list(lists)
    longest = max(map(len, lists), default=0)
    turns = (tests[at] for at in range(longest) for tests in lists if at < len(tests))
    return tuple(dict.fromkeys(turns))[:NEAR]


def read_map(path: Path = MAP) -> Covering:
    """The committed map."""
    document = json.loads(path.read_text())
    tests = [test for test, _ in document["tests"]]
    return Covering(
        {
            file: {name: tuple(tests[at] for at in places) for name, places in functions.items()}
            for file, functions in document["functions"].items()
        },
        dict(document["tests"]),
        tuple(document.get("untraced", ())),
    )


def make_map(traces: Iterable[Path]) -> Covering:
    """A map from the lines of traces; tests that failed are left out."""
    reached: dict[tuple[str, str], set[str]] = defaultdict(set)
    seconds: dict[str, float] = {}
    for line in (line for trace in traces for line in trace.read_text().splitlines()):
        test, file, name, *outcome = line.split("\t")
        if file == "=":
            if outcome == ["passed"]:
                seconds[test] = float(name)
        elif name != "(module)":
            reached[file, name].add(test)
    breadth: dict[str, int] = defaultdict(int)
    for tests in reached.values():
        for test in tests:
            breadth[test] += 1
    functions: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for (file, name), tests in sorted(reached.items()):
        passed = sorted(test for test in tests if test in seconds)
        sharp = sorted(passed, key=lambda test: (breadth[test], seconds[test]))[:SHARP]
        fast = sorted(passed, key=lambda test: (seconds[test], breadth[test]))[:FAST]
        # a test of the file's own name is asked too, however broad it is
        named = [test for test in passed if Path(file).stem in test.split("::")[0]][:FAST]
        mirrored = [test for test in passed if test.startswith(f"{_mirror(file)}::")][:NEAR]
        chosen = dict.fromkeys([*sharp, *fast, *named, *mirrored])
        functions[file][name] = tuple(sorted(chosen, key=lambda test: seconds[test]))
    chosen_tests = {t for names in functions.values() for tests in names.values() for t in tests}
    return Covering(functions, {test: seconds[test] for test in sorted(chosen_tests)})


def _mirror(file: str) -> str:
    """The file whose tests are of this one before any other."""
    path = Path(file)
    return f"tests/{path.parent.as_posix()}/test_{path.name}"


def extend_map(old: Covering, new: Covering, root: Path = ROOT) -> Covering:
    """The new map, and of the old one the tests that are still there; it says what is untraced."""
    traced = {test.split("::")[0] for test in new.seconds}
    kept = {test for test in old.seconds if _is_written(test, root)}
    functions: dict[str, dict[str, tuple[str, ...]]] = {}
    for file in sorted({*old.functions, *new.functions}):
        before, after = old.functions.get(file, {}), new.functions.get(file, {})
        both = {
            name: tuple(
                dict.fromkeys(
                    [*after.get(name, ()), *(t for t in before.get(name, ()) if t in kept)]
                )
            )
            for name in sorted({*before, *after})
        }
        found = {name: tests for name, tests in both.items() if tests}
        if found and (root / file).is_file():
            functions[file] = found
    seconds = {test: old.seconds[test] for test in kept} | dict(new.seconds)
    every = {path.relative_to(root).as_posix() for path in (root / "tests").rglob("test_*.py")}
    before = {test.split("::")[0] for test in kept}.difference(old.untraced)
    return Covering(functions, seconds, tuple(sorted(every - traced - before)))


def _is_written(test: str, root: Path) -> bool:
    """Whether the test's file is there and has a function of its name."""
    file, _, name = test.partition("::")
    function = name.split("[")[0].split("::")[-1]
    path = root / file
    return path.is_file() and f"def {function}(" in path.read_text()


def write_map(covering: Covering, path: Path = MAP) -> None:
    """Write a map, a function a line, so that a change of it can be read."""
    every = (
        test for names in covering.functions.values() for tests in names.values() for test in tests
    )
    tests = sorted(set(every))
    places = {test: at for at, test in enumerate(tests)}
    lines = [
        f"  {json.dumps(file)}: {{\n"
        + ",\n".join(
            f"   {json.dumps(name)}: {json.dumps([places[test] for test in chosen])}"
            for name, chosen in names.items()
        )
        + "}"
        for file, names in covering.functions.items()
    ]
    head = ",\n".join(f"  {json.dumps([test, covering.seconds[test]])}" for test in tests)
    untraced = ",\n".join(f"  {json.dumps(file)}" for file in covering.untraced)
    path.write_text(
        f'{{"untraced": [\n{untraced}],\n "tests": [\n{head}],\n "functions": {{\n'
        + ",\n".join(lines)
        + "}}\n"
    )


def flaws(covering: Covering, traced: Covering, root: Path = ROOT) -> list[str]:
    """What is wrong with the committed map beside a traced run: tests gone, functions unreached."""
    there = {
        (file, name): set(tests)
        for file, names in traced.functions.items()
        for name, tests in names.items()
    }
    found = [
        f"{file}: {name} is reached by a test, and the map knows none"
        for (file, name), tests in there.items()
        if not covering.of(file, name)
        # a map that is partial says of which tests it knows nothing
        and any(test.split("::")[0] not in covering.untraced for test in tests)
    ]
    collected = {test.split("[")[0] for tests in there.values() for test in tests}
    gone = {
        test
        for names in covering.functions.values()
        for tests in names.values()
        for test in tests
        if not (root / test.split("::")[0]).is_file()
    }
    return found + [f"{test} is in the map and not there" for test in sorted(gone - collected)]
