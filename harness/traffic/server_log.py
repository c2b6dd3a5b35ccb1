"""Lock waits as the server's log tells them: `log_lock_waits` with a short `deadlock_timeout`.

The log names who held the lock and who queued before; what an application calls itself is told when
it connects (`log_connections`). Only of servers of our own: their `log_line_prefix` is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

WAIT_LOGGED_AFTER: Final = 0.05  # seconds
SETTINGS: Final[Mapping[str, str]] = {
    "log_lock_waits": "on",
    "deadlock_timeout": f"{round(WAIT_LOGGED_AFTER * 1000)}ms",
    "log_connections": "on",
    "log_min_error_statement": "error",
}
_LINE: Final = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC \[(?P<pid>\d+)\] "
    r"(?:(?P<user>.*?)@(?P<db>.*?) )?(?P<level>[A-Z]+):  (?P<text>.*)$"
)
_WAIT: Final = re.compile(
    r"process (?P<pid>\d+) (?P<what>still waiting for|acquired|avoided deadlock for"
    r"|detected deadlock while waiting for) (?P<mode>\w+) on (?P<target>.*?)"
    r" after (?P<ms>[\d.]+) ms"
)
_HOLDERS: Final = re.compile(r"Process(?:es)? holding the lock: (?P<held>[\d, ]*)\.")
_QUEUE: Final = re.compile(r"Wait queue: (?P<queue>[\d, ]*)\.")
_NAMED: Final = re.compile(r"connection authorized: .*?application_name=(?P<name>.*?)(?: SSL .*)?$")


@dataclass(frozen=True)
class LockWait:
    """A wait of one backend for one lock; times are seconds since 1970.

    `acquired` is False where the log never says that it got the lock: `seconds` is then the last
    that was heard. `queue` are the backends that wait for the same lock, in their order.
    """

    pid: int
    mode: str
    target: str
    begun: float
    seconds: float
    acquired: bool
    holders: tuple[int, ...] = ()
    queue: tuple[int, ...] = ()
    statement: str = ""

    @property
    def ended(self) -> float:
        """When it was over, or last heard of."""
        return self.begun + self.seconds

    @property
    def ahead(self) -> tuple[int, ...]:
        """The backends that queued before it."""
        place = self.queue.index(self.pid) if self.pid in self.queue else 0
        return self.queue[:place]


@dataclass(frozen=True)
class ServerLog:
    """The lock waits in a log, and the name of the application of each backend."""

    waits: Sequence[LockWait]
    applications: Mapping[int, str]


@dataclass(frozen=True)
class _Entry:
    at: float
    pid: int
    level: str
    text: str


def let_log_waits(conn: psycopg.Connection[Any]) -> None:
    """Have a server of our own log lock waits and connections, from the next session on."""
    for name, value in SETTINGS.items():
        conn.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
    conn.execute("SELECT pg_catalog.pg_reload_conf()")


def parse_log(text: str) -> ServerLog:
    """The lock waits that a log tells, in the order in which they began."""
    open_waits: dict[int, LockWait] = {}
    done: list[LockWait] = []
    names: dict[int, str] = {}
    told: LockWait | None = None
    for entry in _entries(text):
        if entry.level == "LOG":
            told = None
            if named := _NAMED.match(entry.text):
                names[entry.pid] = named["name"]
            elif wait := _WAIT.match(entry.text):
                told = _wait(entry, wait, open_waits, done)
        elif told is not None and open_waits.get(told.pid, told).begun == told.begun:
            told = _detailed(told, entry)
            if told.pid in open_waits:
                open_waits[told.pid] = told
    waits = [*done, *open_waits.values()]
    return ServerLog(sorted(waits, key=lambda each: each.begun), names)


def _wait(
    entry: _Entry, found: re.Match[str], waiting: dict[int, LockWait], done: list[LockWait]
) -> LockWait | None:
    seconds = float(found["ms"]) / 1000
    pid = int(found["pid"])
    known = waiting.pop(pid, None)
    acquired = found["what"] == "acquired"
    if known is not None and (known.mode, known.target) != (found["mode"], found["target"]):
        done.append(known)
        known = None
    wait = LockWait(pid, found["mode"], found["target"], entry.at - seconds, seconds, acquired)
    if known is not None:
        wait = replace(wait, holders=known.holders, queue=known.queue, statement=known.statement)
    if acquired:
        done.append(wait)
        return None
    waiting[pid] = wait
    return wait


def _detailed(wait: LockWait, entry: _Entry) -> LockWait:
    if entry.level == "DETAIL":
        holders, queue = _HOLDERS.search(entry.text), _QUEUE.search(entry.text)
        return replace(
            wait,
            holders=_pids(holders["held"]) if holders else (),
            queue=_pids(queue["queue"]) if queue else (),
        )
    if entry.level == "STATEMENT":
        return replace(wait, statement=" ".join(entry.text.split()))
    return wait


def _pids(listed: str) -> tuple[int, ...]:
    return tuple(int(pid) for pid in re.findall(r"\d+", listed))


def _entries(text: str) -> Iterator[_Entry]:
    """The entries of a log; a line that begins with a tab goes on with the entry before."""
    current: _Entry | None = None
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            if current is not None and line.startswith("\t"):
                current = replace(current, text=f"{current.text}\n{line[1:]}")
            continue
        if current is not None:
            yield current
        moment = datetime.strptime(found["at"], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
        current = _Entry(moment.timestamp(), int(found["pid"]), found["level"], found["text"])
    if current is not None:
        yield current


def waits_of(waits: Iterable[LockWait], pids: Mapping[int, Any]) -> list[LockWait]:
    """The waits of some backends."""
    return [wait for wait in waits if wait.pid in pids]
