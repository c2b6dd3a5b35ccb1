"""Backups taken and dumps made, for the tests of backup and restore."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.database import dump as client
from harness.safety import proof
from harness.safety.backup import backup
from tests.harness.support.runner import ask

if TYPE_CHECKING:
    from harness.server import Server


ROOT = Path(__file__).parents[3]
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("HARNESS_")}
THINGS = """
CREATE TABLE public.things (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
INSERT INTO public.things (name) SELECT 'thing ' || g FROM generate_series(1, 50) AS g;
GRANT SELECT ON public.things TO pg_monitor;
"""
SCRATCH = "SELECT count(*) FROM pg_database WHERE starts_with(datname, %s)"
SECRET = "s3cret-Word"


def taken(dsn: str, directory: Path) -> Path:
    """A proven backup."""
    found = backup(dsn, directory)
    assert (found.verdict, found.why, found.differences) == ("pass", "", ())
    return directory


def dumped(dsn: str, directory: Path, *more: str) -> Path:
    """What pg_dump says of a database now, whatever was asked of it."""
    assert client.dump(dsn, major(dsn), directory, None, *more) == ""
    return directory


def major(dsn: str) -> int:
    return int(ask(dsn, "SHOW server_version_num")) // 10_000


def scratches(server: Server, pid: int) -> int:
    """How many scratch databases of a process' backups are there."""
    return int(ask(server.dsn(), SCRATCH, f"{proof.SCRATCH.prefix}_{pid}_"))


def command(*arguments: str | Path, dsn: str) -> list[str]:
    return [sys.executable, "-m", "harness", *map(str, arguments), "--dsn", dsn]


def harness(*arguments: str | Path, dsn: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command(*arguments, dsn=dsn), cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr
