"""postmaster.pid: what a running server says of itself in its data directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PidFile:
    """The lines we use; a server that is still starting has not written them all."""

    pid: int
    port: int | None
    shared_memory: int | None
    status: str


def read(data_dir: Path) -> PidFile | None:
    """The pid file of a data directory; None when there is none, or not yet a whole first line."""
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, IndexError, ValueError):
        return None
    # 0 pid, 1 data directory, 2 start time, 3 port, 4 socket directory, 5 address, 6 shm key and
    # id, 7 status
    lines += [""] * (8 - len(lines))
    shared = lines[6].split()
    return PidFile(
        pid=pid,
        port=int(lines[3]) if lines[3].strip().isdigit() else None,
        shared_memory=int(shared[1]) if len(shared) == 2 else None,
        status=lines[7].strip(),
    )
