"""Follows a process: notes the first call of each function of the harness in each test.

coverage.py writes at a process's end; the tests here kill processes, so each first call is
appended to a file at once, and a child that dies by SIGKILL has told what it did.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

FILE: Final = "HARNESS_TRACE"
TEST: Final = "HARNESS_TRACE_TEST"
ROOT: Final = str(Path(__file__).resolve().parents[2])
_HARNESS: Final = f"{ROOT}/harness/"


class Follower:
    """A trace function that notes each function of the harness once a test."""

    def __init__(self, path: str) -> None:
        # one write a line, appended: processes share the file and nobody's line is cut
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._seen: set[CodeType] = set()

    def begin(self) -> None:
        """Note everything anew: another test begins."""
        self._seen.clear()

    def note(self, *words: object) -> None:
        """Append one line about the test at work."""
        line = "\t".join([os.environ.get(TEST, ""), *map(str, words)])
        os.write(self._file, f"{line}\n".encode())

    def __call__(self, frame: FrameType, _event: str, _arg: object) -> None:
        """Take note of a call; returning None leaves the function's lines untraced."""
        code = frame.f_code
        if code not in self._seen:
            self._seen.add(code)
            if code.co_filename.startswith(_HARNESS):
                self.note(
                    code.co_filename.removeprefix(f"{ROOT}/"), function_name(code.co_qualname)
                )


def function_name(qualified: str) -> str:
    """The name by which mutants know a function: without <locals>, <lambda> and the like."""
    kept = [part for part in qualified.split(".") if not part.startswith("<")]
    return ".".join(kept) or "(module)"


def follow() -> Follower:
    """Note every call of this process and its threads from now on."""
    follower = Follower(os.environ[FILE])
    threading.settrace(follower)
    sys.settrace(follower)
    return follower
