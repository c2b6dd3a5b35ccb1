"""Reading a server's log by byte offsets."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from harness.core.poll import wait_until

ReadLog = Callable[[int], str]


def search(read: ReadLog, pattern: str, offset: int, timeout: float) -> str:
    """Wait until a regular expression matches in the log behind `offset`; return the match."""
    compiled = re.compile(pattern, re.MULTILINE)
    found = wait_until(
        lambda: compiled.search(read(offset)), timeout, f"{pattern!r} in the server log"
    )
    assert found is not None
    return found[0]


class FileLog:
    """The log part of a server that logs to a file; the file is appended to over restarts."""

    def __init__(self, path: Path) -> None:
        self.log_file = path

    def log(self, offset: int = 0) -> str:
        """The log from a byte offset on; empty when there is none yet."""
        try:
            with self.log_file.open("rb") as file:
                file.seek(offset)
                return file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def log_offset(self) -> int:
        """The size of the log now."""
        try:
            return self.log_file.stat().st_size
        except FileNotFoundError:
            return 0

    def wait_for_log(self, pattern: str, offset: int = 0, timeout: float = 30.0) -> str:
        """Wait until a regular expression is found behind `offset`; return the match."""
        return search(self.log, pattern, offset, timeout)
