"""What the write-ahead log holds, read by the server's own pg_waldump."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import InfrastructureError
from harness.server.account import environment

LINE: Final = re.compile(
    r"rmgr: (?P<rmgr>\S+) .* lsn: (?P<lsn>[0-9A-F]+/[0-9A-F]+), prev [^,]+,"
    r" desc: (?P<what>[^\s,;]+)"
)
KINDS: Final = {
    ("Transaction", "COMMIT"): "commit",
    ("Transaction", "COMMIT_PREPARED"): "commit",
    ("Transaction", "PREPARE"): "prepare",
    ("Sequence", None): "sequence",
    ("Database", None): "database",
    ("Storage", None): "storage",
    ("RelMap", None): "relmap",
    ("Heap", "INPLACE"): "inplace",
}
"""The records that change what a crash leaves: a transaction's end, and what is done at once and
stays done when its transaction is lost. Everything else counts only with the commit after it."""


@dataclass(frozen=True)
class Record:
    """A record of the log: it lies from byte `lsn` to byte `end`, where the next one begins."""

    lsn: int
    end: int
    rmgr: str
    what: str

    @property
    def kind(self) -> str | None:
        """What it makes durable; None when it is nothing without a commit."""
        return KINDS.get((self.rmgr, self.what)) or KINDS.get((self.rmgr, None))

    def __str__(self) -> str:
        return f"{self.rmgr} {self.what} at {shown(self.lsn)}"


def position(text: str) -> int:
    """The byte position that Postgres writes as two hexadecimal numbers."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def shown(lsn: int) -> str:
    """A byte position as Postgres writes it."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


@dataclass(frozen=True)
class Segments:
    """The files of a log: its timeline, and the size that all of them have."""

    timeline: int
    size: int

    @staticmethod
    def of(wal_dir: Path) -> Segments:
        """Those in a directory."""
        one = min(path for path in wal_dir.iterdir() if re.fullmatch("[0-9A-F]{24}", path.name))
        return Segments(int(one.name[:8], 16), one.stat().st_size)

    def name_at(self, lsn: int) -> str:
        """The name of the file that holds a position."""
        number, in_a_log = lsn // self.size, (1 << 32) // self.size
        return f"{self.timeline:08X}{number // in_a_log:08X}{number % in_a_log:08X}"


def durable(bin_dir: Path, wal_dir: Path, start: int, end: int) -> list[Record]:
    """The records between two positions that make something durable, in order."""
    program = bin_dir / "pg_waldump"
    if not program.exists():
        raise InfrastructureError(
            "this Postgres has no pg_waldump, which finds its durable states",
            where=str(bin_dir),
            hint="install the server's own programs",
        )
    first = Segments.of(wal_dir).name_at(start)  # named: one made in advance tells it no size
    command = [
        str(program), "--path", str(wal_dir), "--start", shown(start), "--end", shown(end), first
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    if done.returncode:
        raise InfrastructureError(
            f"pg_waldump does not read the log: {' '.join(done.stderr.split())}",
            where=str(wal_dir),
            hint="take a pg_waldump of the server's own version",
        )
    return [each for each in parse(done.stdout.splitlines(), end) if each.kind is not None]


def parse(lines: Iterable[str], end: int) -> Iterator[Record]:
    """Read pg_waldump's output; the last record ends at `end`."""
    before: tuple[int, str, str] | None = None
    for line in lines:
        found = LINE.match(line)
        if found is None:
            continue
        lsn = position(found["lsn"])
        if before is not None:
            yield Record(before[0], lsn, before[1], before[2])
        before = lsn, found["rmgr"], found["what"]
    if before is not None:
        yield Record(before[0], end, before[1], before[2])
