"""Ask the tests of a mutant: in a private copy of the tree, in a process group of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .covering import Covering
from .model import ROOT, Mutant
from .warm import Warm

EFFORT: Final = 30.0  # seconds of tests that are asked of a function's own, and half of its file's
PATIENCE: Final = 6  # times as long as they take by themselves, tests are waited for
START: Final = 40.0  # seconds for the interpreter and a server
SOUND: Final = 300.0  # seconds for tests by themselves
_NOTHING: Final = 5  # pytest's status when no test was collected
_USAGE: Final = 4  # pytest's status when a test that was named is not there


@dataclass(frozen=True)
class Judgement:
    """What a mutant came to: killed, hung, survived, or unreached (no test reaches it)."""

    mutant: Mutant
    state: str
    change: str
    by: str
    seconds: float

    @property
    def seen(self) -> bool:
        """Whether a test noticed."""
        return self.state in ("killed", "hung")


class MissingTestsError(Exception):
    """None of the tests that were named is there."""


class Bench:
    """A copy of the tree in which one file at a time is another."""

    def __init__(self, place: Path, effort: float = EFFORT) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, place / name)
        self.place, self._effort = place, effort
        self._sound: dict[tuple[str, ...], float | str] = {}
        self._gone: set[str] = set()
        self._stamp = int(time.time())
        self._warm = Warm(place)

    def close(self) -> None:
        """End the process that runs the tests."""
        self._warm.close()

    def judge(
        self, mutant: Mutant, covering: Covering, root: Path = ROOT, killer: str | None = None
    ) -> Judgement:
        """Ask `killer`, the tests of its function, those of its file; `root` has the sound file.

        Raises RuntimeError when tests fail that nothing was planted for: they judge nothing.
        """
        started = time.monotonic()
        change, code = mutant.change(root), mutant.code(root)
        state, by = "unreached", ""
        for tests in self._rounds(mutant, covering, killer):
            with contextlib.suppress(MissingTestsError):
                state, by = self._asked(mutant.path, code, tests, covering.cost(tests))
            if state not in ("unreached", "survived"):
                break
        if state in ("survived", "unreached") and killer in self._gone:
            raise RuntimeError(f"the test that saw it is not there any more: {killer}")
        return Judgement(mutant, state, change, by, time.monotonic() - started)

    def _rounds(
        self, mutant: Mutant, covering: Covering, killer: str | None
    ) -> Iterator[tuple[str, ...]]:
        """The tests that are asked, the likeliest first."""
        known = tuple(filter(self._is_there, filter(None, [killer])))
        own = (test for test in covering.of(mutant.path, mutant.function) if test not in known)
        first = covering.affordable(filter(self._is_there, own), self._effort)
        asked = (*known, *first)
        near = (test for test in covering.near(mutant.path) if test not in asked)
        rest = filter(self._is_there, near)
        yield from filter(None, (known, first, covering.affordable(rest, self._effort / 2)))

    def _is_there(self, test: str) -> bool:
        if not (self.place / test.split("::")[0]).is_file():
            self._gone.add(test)
        return test not in self._gone

    def _asked(self, path: str, code: str, tests: tuple[str, ...], cost: float) -> tuple[str, str]:
        status, said, taken = self._planted(path, code, tests, START + PATIENCE * cost)
        if status == 0:
            return "survived", ""
        # a test that fails, or takes so long, by itself sees nothing: asked without the mutant
        alone = self._alone(tests)
        if status is not None:
            return "killed", _failed(said)
        if taken < PATIENCE * alone:  # the machine is slower than the map's: that long again
            status, said, taken = self._planted(path, code, tests, PATIENCE * alone)
            if status is not None:
                return ("killed", _failed(said)) if status else ("survived", "")
        return "hung", f"no end in {taken:.0f} s; {alone:.0f} s without it"

    def _planted(
        self, path: str, code: str, tests: tuple[str, ...], limit: float
    ) -> tuple[int | None, str, float]:
        file = self.place / path
        sound = file.read_text()
        self._write(file, code)
        try:
            found = self._run(tests, limit, path)
        finally:
            self._write(file, sound)
        # the sound tree says which tests are there: with a mutant that nothing can import none is
        return self._planted(path, code, tests, limit) if self._lost(found[0], tests) else found

    def _write(self, file: Path, text: str) -> None:
        """Write a file with a time of its own: Python tells stale bytecode by second and size."""
        file.write_text(text)
        self._stamp += 1
        os.utime(file, (self._stamp, self._stamp))

    def _alone(self, tests: tuple[str, ...]) -> float:
        """How many seconds the tests take with nothing planted.

        Raises RuntimeError when they fail.
        """
        if tests not in self._sound:
            status, said, seconds = self._run(tests, SOUND)
            if status != 0:  # once more: the machine is shared, or a test is gone
                self._lost(status, tests)
                status, said, seconds = self._run(tests, SOUND)
            self._sound[tests] = seconds if status == 0 else said[-2000:] or "no end in time"
        found = self._sound[tests]
        if isinstance(found, str):
            raise RuntimeError(f"tests fail without a mutant: {' '.join(tests)}\n{found}")
        return found

    def _run(
        self, tests: Sequence[str], limit: float, changed: str = ""
    ) -> tuple[int | None, str, float]:
        """As Warm.run; a test that is known to be gone is left out.

        Raises MissingTestsError when none is left.
        """
        asked = [test for test in tests if test not in self._gone]
        if not asked:
            raise MissingTestsError
        return self._warm.run(asked, limit, changed)

    def _lost(self, status: int | None, tests: Sequence[str]) -> bool:
        """Whether a run ended so because tests are gone that were not known to be; notes them."""
        if status not in (_NOTHING, _USAGE):
            return False
        asked = [test for test in tests if test not in self._gone]
        gone = set(asked) - self._collected(asked)
        self._gone.update(gone)
        return bool(gone)

    def _collected(self, tests: Sequence[str]) -> set[str]:
        """Those of the tests that are there, by pytest's own list: it names no case that is not."""
        functions = dict.fromkeys(test.partition("[")[0] for test in tests)
        listed: set[str] = set()
        for function in functions:
            _, said, _ = self._warm.run(["--collect-only", "--tb=no", function], SOUND)
            listed.update(said.splitlines())
        return listed.intersection(tests)


def _failed(said: str) -> str:
    """The test that saw it, by pytest's own summary, or its last word.

    The summary comes last: a test that runs pytest says before it what that one said.
    """
    for line in reversed(said.splitlines()):
        if line.startswith(("FAILED ", "ERROR ")):
            return line.split(" - ")[0].partition(" ")[2]
    return (said.strip().splitlines() or [""])[-1]
