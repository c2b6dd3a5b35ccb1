"""Run by the Python of one arm, with that ref's harness and nothing of this one: its runs, timed.

One JSON request a line on stdin, one answer a line on what stdout was. It stands beside `commit`,
the file that names the ref; it imports only the standard library before it says hello.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

LOOP: Final = 40_000
KEPT: Final = 600
"""Characters of what a command said, from its end."""

Answer = dict[str, Any]


class Driver:
    """What one arm can do."""

    def __init__(self) -> None:
        self._commit = Path(__file__).with_name("commit").read_text("utf-8").strip()
        self._runs: Counter[str] = Counter()

    def hello(self) -> Answer:
        """Which ref this is, which harness it runs, and the commands that it has."""
        harness = importlib.import_module("harness")
        commands = importlib.import_module("harness.cli").cli.commands
        return {
            "commit": self._commit,
            "harness": str(Path(str(harness.__file__)).parent),
            "version": str(harness.__version__),
            "commands": sorted(commands),
            "clones": _clone() is not None,
            "place": {
                "nice": str(os.nice(0)),
                "processors": str(sorted(os.sched_getaffinity(0)))
                if hasattr(os, "sched_getaffinity")
                else "",
                "cgroup": _cgroup(),
                "python": sys.version.split()[0],
            },
        }

    def run(self, name: str, kind: str, arguments: Sequence[str]) -> Answer:
        """One run of a benchmark, timed; `warmth` is how many there were before."""
        work = self._work(kind, arguments)
        warmth, self._runs[name] = self._runs[name], self._runs[name] + 1
        if kind != "loop":
            gc.collect()  # what earlier runs left is not this one's to clear away
        said = io.StringIO()
        # of a loop the processor's time: what others take from it is nothing of the arm's
        clock = time.process_time if kind == "loop" else time.perf_counter
        begun = time.monotonic()
        start = clock()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status, error = _finish(work)
        seconds = clock() - start
        text = error or (said.getvalue() if status else "")
        return {
            "commit": self._commit, "warmth": warmth, "begun": begun, "seconds": seconds,
            "status": status, "said": " ".join(text.split())[-KEPT:],
        }  # fmt: skip

    def _work(self, kind: str, arguments: Sequence[str]) -> Callable[[], object]:
        if kind == "loop":
            return _loop
        if kind == "start":
            command = [sys.executable, "-P", "-m", "harness", *arguments]
            return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if kind == "clone":
            clone = _clone()
            assert clone is not None, "hello said that it has none"
            return lambda: clone(*arguments)
        cli = importlib.import_module("harness.cli").cli
        known = _known(cli.commands[arguments[0]], arguments)
        return lambda: cli.main(known, prog_name="harness", standalone_mode=False)


def _known(command: Any, arguments: Sequence[str]) -> list[str]:
    """The arguments without those written --name=value that this ref's command does not know."""
    options = {option for one in command.params for option in one.opts}
    return [
        one
        for one in arguments
        if not (one.startswith("--") and "=" in one) or one.partition("=")[0] in options
    ]


def _clone() -> Callable[..., object] | None:
    try:
        found: Callable[..., object] = importlib.import_module("harness.database.template").clone
    except (ImportError, AttributeError):
        return None
    return found


def _cgroup() -> str:
    try:
        return Path("/proc/self/cgroup").read_text("utf-8").strip()
    except OSError:
        return ""


def _loop() -> None:
    """Fixed work of the processor alone: it takes both arms the same time, or they are unlike."""
    total = 0
    for number in range(LOOP):
        total += number * number % 7


def _finish(work: Callable[[], object]) -> tuple[int, str]:
    """The exit status of the work, and an error in words."""
    try:
        found = work()
    except SystemExit as ended:
        return (ended.code if isinstance(ended.code, int) else 1), ""
    except Exception as error:
        return int(getattr(error, "exit_status", getattr(error, "exit_code", 1))), str(error)
    return (int(found) if isinstance(found, int) else 0), ""


def main() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a command prints by itself is no answer
    driver = Driver()
    for line in sys.stdin:
        request = json.loads(line)
        do = driver.hello if request["do"] == "hello" else driver.run
        try:
            answer = do(**request["with"])
        except Exception as error:  # told to whoever asked, who knows what it means
            answer = {"broken": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
