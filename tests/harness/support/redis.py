"""A real redis-server with a password, on a port of its own, and what a test asks of it."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.core.child import dies_with_us
from harness.core.poll import wait_until
from harness.safety.hooks import redis_keys
from harness.server import port, registry
from tests.harness.support.backup import SECRET
from tests.harness.support.server import require

LIMIT = 60.0
CONFIG = 'bind 127.0.0.1\nport {port}\nrequirepass {secret}\nsave ""\nappendonly no\ndir {home}\n'


class Redis:
    """A running redis-server; `url` leads to its database 0."""

    def __init__(self, number: int) -> None:
        self.url = f"redis://:{quote(SECRET)}@127.0.0.1:{number}/0"

    def ask(self, *words: str) -> Any:
        """The answer to a command."""
        with redis_keys._opened(self.url, time.monotonic() + LIMIT) as line:
            return line.ask(*(word.encode() for word in words))

    def fill(self, values: Mapping[str, str]) -> None:
        """Set keys."""
        self.ask("MSET", *(part for pair in values.items() for part in pair))

    def count(self) -> int:
        """How many keys there are."""
        return int(self.ask("DBSIZE"))


@contextmanager
def running(home: Path) -> Iterator[Redis]:
    """One that ends with the block; skipped, or failed where it is required, when there is none."""
    program = shutil.which("redis-server")
    if program is None:
        require("redis", "install Debian's package redis-server")
    for _ in range(5):
        number = _free_port()
        process = subprocess.Popen(
            [program, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=dies_with_us(),
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(CONFIG.format(port=number, secret=SECRET, home=home).encode())
        process.stdin.close()
        try:
            if _came_up(process, Redis(number)):
                yield Redis(number)
                return
        finally:
            process.kill()
            process.wait()
    raise AssertionError("redis-server did not start")


def _came_up(process: subprocess.Popen[bytes], found: Redis) -> bool:
    """Whether it answers; False when it ended, as when its port was taken."""

    def answers() -> bool:
        if process.poll() is not None:
            return True
        try:
            return bool(found.ask("PING"))
        except redis_keys.RedisFailed:
            return False

    wait_until(answers, LIMIT, "redis-server")
    return process.poll() is None


def _free_port() -> int:
    lowest, highest = port.bounds()
    taken = registry.ports()
    candidates = (random.randint(lowest, highest) for _ in range(200))  # noqa: S311 - no secret
    return next(one for one in candidates if one not in taken and port.is_free(one))
