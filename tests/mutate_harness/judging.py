"""Ask the tests of a mutant: in a private copy of the tree, in a process group of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .covering import Covering
from .model import ROOT, Mutant

OWN: Final = 30.0  # seconds of tests that are asked of a function's own
NEAR: Final = 15.0  # and of its whole file's
PATIENCE: Final = 6  # times as long as they take by themselves, tests are waited for
START: Final = 40.0  # seconds for the interpreter and a server
_QUIET: Final = ("-q", "-x", "-n", "0", "--no-header", "-p", "no:cacheprovider", "--tb=line")
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


class Bench:
    """A copy of the tree in which one file at a time is another."""

    def __init__(self, place: Path) -> None:
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
        self.place = place
        self._sound: dict[tuple[str, ...], str] = {}

    def judge(self, mutant: Mutant, covering: Covering, root: Path = ROOT) -> Judgement:
        """Ask the tests of its function, then those of its file; `root` has the sound file.

        Raises RuntimeError when tests fail that nothing was planted for: they judge nothing.
        """
        started = time.monotonic()
        change, code = mutant.change(root), mutant.code(root)
        own = covering.affordable(covering.of(mutant.path, mutant.function), OWN)
        rest = (test for test in covering.near(mutant.path) if test not in own)
        near = covering.affordable(rest, NEAR)
        state, by = "unreached", ""
        for tests in filter(None, (own, near)):
            limit = START + PATIENCE * covering.cost(tests)
            state, by = self._asked(mutant.path, code, tests, limit)
            if state != "survived":
                break
        return Judgement(mutant, state, change, by, time.monotonic() - started)

    def _asked(self, path: str, code: str, tests: tuple[str, ...], limit: float) -> tuple[str, str]:
        file = self.place / path
        sound = file.read_text()
        file.write_text(code)
        try:
            status, said = self._run(tests, limit)
        finally:
            file.write_text(sound)
        if status == 0:
            return "survived", ""
        # a test that fails, or takes so long, by itself sees nothing: asked without the mutant
        self._refuse_unsound(tests, limit)
        return ("hung", f"no end in {limit:.0f} s") if status is None else ("killed", _failed(said))

    def _refuse_unsound(self, tests: tuple[str, ...], limit: float) -> None:
        if tests not in self._sound:
            status, said = self._run(tests, limit)
            if status != 0:  # once more: the machine is shared
                status, said = self._run(tests, limit)
            self._sound[tests] = "" if status == 0 else said[-2000:] or "no end in time"
        if self._sound[tests]:
            names = " ".join(tests)
            raise RuntimeError(f"tests fail without a mutant: {names}\n{self._sound[tests]}")

    def _run(self, tests: Sequence[str], limit: float) -> tuple[int | None, str]:
        """The status and the output of pytest; None for a run that had to be ended."""
        environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PG", "PYTEST_", "HARNESS_"))
        }
        environment |= {"PYTHONPATH": str(self.place), "HARNESS_SERVER": "embedded"}
        child = subprocess.Popen(
            [sys.executable, "-m", "pytest", *_QUIET, *tests],
            cwd=self.place, env=environment, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _end_group(child)
            child.communicate()  # closes its pipe
            return None, ""
        finally:
            _end_group(child)
        if child.returncode in (_NOTHING, _USAGE) and "ImportError" not in said:
            gone = "a test of the map is not there; make the map again"
            if "not found" in said or child.returncode == _NOTHING:
                raise RuntimeError(f"{gone}: {said[-500:]}")
        return child.returncode, said


def _end_group(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _failed(said: str) -> str:
    """The test that saw it, by pytest's own summary, or its last word."""
    for line in said.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            return line.split(" - ")[0].partition(" ")[2]
    return (said.strip().splitlines() or [""])[-1]
