"""Tools in processes of their own, killed at any moment, and what is left of them."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

from harness.database import admin
from harness.server import registry

MARK = "HARNESS_TEST_KILLED"
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["harness.safety.backup", "harness.scenario.dry_run", "harness.runner", "harness.plan"]
)


def work(tool: str, dsn: str, directory: Path, mark: str, temporary: str) -> None:
    """Run one tool, with everything that it starts marked as its own."""
    import tempfile

    os.environ[MARK] = mark
    os.environ["HARNESS_DATA"] = f"{temporary}/data"
    tempfile.tempdir = temporary
    TOOLS[tool](dsn, directory)


def _rehearse(how: Any) -> Callable[[str, Path], object]:
    def run(dsn: str, directory: Path) -> object:
        from harness.plan import load
        from harness.scenario.dry_run import dry_run

        return dry_run(dsn, load(directory / "plan" / "plan.toml"), how=how, server="embedded")

    return run


def _backup(dsn: str, directory: Path) -> object:
    from harness.safety.backup import backup

    return backup(dsn, directory / "new")


def _restore(dsn: str, directory: Path) -> object:
    from harness.safety.backup import restore

    return restore(admin.with_dbname(dsn, (directory / "target").read_text()), directory / "taken")


def _verify(dsn: str, directory: Path) -> object:
    from harness.check.verify import verify
    from harness.cli.verify import opened, state_of
    from harness.plan import load

    plan = load(directory / "plan" / "plan.toml")
    with opened(str(directory / "taken"), dsn) as source:
        return verify(dsn, plan, state=state_of(dsn, plan)[0], source=source)


TOOLS: dict[str, Callable[[str, Path], object]] = {
    "template": _rehearse("template"),
    "dump": _rehearse("dump"),
    "elsewhere": _rehearse("elsewhere"),
    "backup": _backup,
    "restore": _restore,
    "verify": _verify,
}


@contextmanager
def started(
    tool: str, dsn: str, directory: Path, mark: str, temporary: Path
) -> Iterator[BaseProcess]:
    """A tool at work."""
    child = _context.Process(target=work, args=(tool, dsn, directory, mark, str(temporary)))
    child.start()
    try:
        yield child
    finally:
        child.kill()
        child.join()


def seconds_of(tool: str, dsn: str, directory: Path, temporary: Path) -> float:
    """How long a tool takes undisturbed."""
    began = time.monotonic()
    with started(tool, dsn, directory, "undisturbed", temporary) as child:
        child.join(120)
        assert child.exitcode == 0
    return time.monotonic() - began


def processes(mark: str) -> list[str]:
    """The processes that a killed tool started and that live."""
    found = []
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            if one.environ().get(MARK) == mark and one.status() != psutil.STATUS_ZOMBIE:
                found.append(f"process {one.pid}: {' '.join(one.cmdline())}")
    return found


def databases(dsn: str, pid: int) -> list[str]:
    """The temporary databases of a process."""
    with admin.connection(dsn) as conn:
        rows = conn.execute(
            "SELECT 'database ' || datname FROM pg_database WHERE datname ~ %s", [f"_{pid}_"]
        ).fetchall()
    return [name for (name,) in rows]


def files(temporary: Path) -> list[str]:
    """What lies in the temporary directory of a tool, and the data of its servers."""
    return [str(path) for path in temporary.rglob("*") if path.is_file()]


def records(pid: int) -> list[str]:
    """The servers that are recorded as a process' own."""
    return [f"record {one['id']}" for one in registry.records() if one["owner"][0] == pid]
