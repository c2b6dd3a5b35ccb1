"""`harness backup` and `harness restore`: a dump that was restored before it counts, and back."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from harness.cli.options import answer, dsn_option, json_option, named, unused_plan_option
from harness.core.errors import Stopped
from harness.core.exit_status import ExitStatus

SHOWN = 40  # differences that a person is shown
DIRECTORY = click.Path(file_okay=False, path_type=Path)


@click.command()
@dsn_option
@unused_plan_option
@json_option
@click.option("--to", "directory", type=DIRECTORY, required=True, help="a new or empty directory")
def backup(dsn: str | None, as_json: bool, directory: Path) -> None:
    """Dump the database, and prove the dump by restoring it into a scratch database."""
    from harness.observe.progress import meter
    from harness.safety.backup import backup as take

    with _stopped_cleanly("the directory is as it was; back up again"), meter("backup"):
        found = take(named(dsn), directory)
    lines = [f"backup: {found.verdict}{f', {found.why}' if found.why else ''}"]
    lines.append(_figures(found.files, found.rows))
    if found.roles:
        lines.append(f"  a restore needs the roles {', '.join(found.roles)}")
    if found.respelled:
        count = len(found.respelled)
        lines.append(f"  {count} definitions mean the same, written differently; --json lists them")
    _answer(found, as_json, lines)


@click.command()
@dsn_option
@unused_plan_option
@json_option
@click.option(
    "--from", "directory", type=DIRECTORY, required=True, help="the directory of a backup"
)
def restore(dsn: str | None, as_json: bool, directory: Path) -> None:
    """Restore a proven backup into an empty database, and compare."""
    from harness.observe.progress import meter
    from harness.safety import manifest
    from harness.safety.backup import restore as bring_back

    manifest.read(directory)  # what is no backup is refused before any server is asked
    left = "unless the restore was done, nothing of it is in the database"
    with _stopped_cleanly(left), meter("restore"):
        found = bring_back(named(dsn), directory)
    lines = [f"restore: {found.verdict}", _figures(found.files, found.rows)]
    if found.verdict == "fail":
        lines[0] += ", the database holds something else than was backed up; do not use it"
    elif found.why:
        lines[0] += f", {found.why}"
    _answer(found, as_json, lines)


def _answer(found: Any, as_json: bool, lines: list[str]) -> None:
    lines += [f"  differs: {difference}" for difference in found.differences[:SHOWN]]
    if len(found.differences) > SHOWN:
        lines.append(f"  and {len(found.differences) - SHOWN} more; --json lists all")
    answer(found.document(), as_json, lines)
    sys.exit(ExitStatus.of(found.verdict == "pass"))


def _figures(files: Sequence[Any], rows: dict[str, int]) -> str:
    size = sum(file.size for file in files)
    return (
        f"  {len(rows)} relations, {sum(rows.values()):,} rows; {len(files)} files, {size:,} bytes"
    )


@contextmanager
def _stopped_cleanly(left: str) -> Iterator[None]:
    """Let SIGTERM be like Ctrl-C: what was begun is cleared away before the end."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped("stopped by a signal", hint=left) from None
    finally:
        signal.signal(signal.SIGTERM, before)
