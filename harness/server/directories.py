"""Where things live: the cache on disk, the records of running servers, data directories on tmpfs
or disk.
"""

from __future__ import annotations

import functools
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import Final

from harness.core.errors import InfrastructureError

NAME: Final = "migration-harness"
TMPFS: Final = Path("/dev/shm")  # noqa: S108 - tmpfs on purpose; our directory in it is checked
ROOM: Final = 2 * 1024**3
"""Bytes that must be free on tmpfs before a data directory goes there."""


@functools.cache
def cache_root() -> Path:
    """The per-user cache: prepared data directories, copied binaries, records. HARNESS_CACHE
    overrides.

    Root's is not below its home, because the uid that its servers run under must be able to enter
    it.
    """
    if os.environ.get("HARNESS_CACHE"):
        return _ours(Path(os.environ["HARNESS_CACHE"]).absolute(), 0o755)
    fallback = Path("/var/tmp") / f"{NAME}-{os.geteuid()}"  # noqa: S108 - checked by _ours
    if os.geteuid() == 0:
        candidates = [Path("/var/cache") / NAME, fallback]
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        candidates = [Path(base) / NAME, fallback]
    for candidate in candidates:
        try:
            return _ours(candidate, 0o755)
        except OSError:
            continue
    raise InfrastructureError(
        "no place for the cache: tried " + ", ".join(str(path) for path in candidates),
        hint="name a directory in HARNESS_CACHE",
    )


def run_dir() -> Path:
    """Where the records of running servers are; they hold passwords, so only we may read it."""
    return _ours(cache_root() / "run", 0o700)


def data_root() -> tuple[Path, bool]:
    """Where new data directories go, and whether that is memory. HARNESS_DATA overrides."""
    override = os.environ.get("HARNESS_DATA")
    if override:
        root = Path(override).absolute()
        return root, _is_memory(root)
    if _is_memory(TMPFS) and free(TMPFS) >= ROOM and os.access(TMPFS, os.W_OK):
        return TMPFS / f"{NAME}-{os.geteuid()}", True
    return cache_root() / "data", False


def make_home(root: Path, name: str) -> Path:
    """A new directory `name` in `root`, which others can enter but not list.

    Raises InfrastructureError where it cannot be made.
    """
    home = root / name
    try:
        _ours(root, 0o711)
        home.mkdir(mode=0o700)
    except OSError as error:
        raise InfrastructureError(
            f"no data directory can be made in {root}: {error.strerror}",
            hint="name another directory in HARNESS_DATA",
        ) from error
    return home


def free(path: Path) -> int:
    """Bytes free for us where `path` is."""
    return shutil.disk_usage(path).free


def _ours(path: Path, mode: int) -> Path:
    """Make a directory, or check that the one there is ours: its name can be guessed by others."""
    try:
        path.mkdir(parents=True)
        path.chmod(mode)
    except FileExistsError:
        pass
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise InfrastructureError(
            f"{path} is not a directory of ours that only we can write to", hint="remove it"
        )
    return path


def _is_memory(path: Path) -> bool:
    """Whether a path lies on tmpfs (asked of the kernel's mount table, the deepest mount that holds
    it).
    """
    if not sys.platform.startswith("linux"):
        return False
    best, kind = "", ""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, fstype, *_ = line.split(" ")
        if len(mount) >= len(best) and path.is_relative_to(mount):
            best, kind = mount, fstype
    return kind in ("tmpfs", "ramfs")
