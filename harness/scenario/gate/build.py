"""The build directory: one gate at a time, and the last verdict kept until a new one is begun."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.core.errors import AnotherRunnerError
from harness.core.jsonfile import FlawedJSON, parse_json, write_json, write_whole
from harness.core.writable import refuse_unwritable
from harness.document.base import to_builtins
from harness.document.verdict import VerdictDocument
from harness.report import evidence
from harness.report.portable import portable_document
from harness.scenario.gate import papers

LOCK = ".gate.lock"
VERDICT = "verdict.json"
REFUSED = "pytest-refused.log"
FILES = (VERDICT, "pytest.log", "junit.xml", "report/index.html", "report/pull-request.md")


@contextmanager
def held(build: Path) -> Iterator[None]:
    """Hold the build directory for this process.

    Raises UsageError when it cannot be written, AnotherRunnerError when another gate holds it. The
    kernel lets go of the lock when its holder ends, however that one ends.
    """
    check_writable(build)
    with (build / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherRunnerError(
                f"another gate works in this build directory, pid {_holder(build)}",
                where=str(build),
                hint="wait for it, or give this one a --build of its own",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _holder(build: Path) -> str:
    return (build / LOCK).read_text().strip() or "unknown"


def check_writable(build: Path) -> None:
    """Raise UsageError, before any work, when what a gate leaves cannot be written there."""
    for name in (LOCK, *FILES, "evidence/crash.json"):
        refuse_unwritable(build / name, "name a directory for --build")


def forget(build: Path) -> None:
    """A new verdict is begun: an old GO must not outlive a crash of this gate."""
    papers.forget(build)
    evidence.forget(build / "evidence")


def take_over(build: Path, left: Path, root: Path) -> None:
    """Put what the suites left (evidence, the logs) in its place; evidence is made portable."""
    for path in sorted((left / "evidence").glob("*.json")):
        write_whole(build / "evidence" / path.name, _evidence(path, root))
    for path in sorted((left / "evidence").glob("*/*")):  # what a document names, such as a history
        there = build / path.relative_to(left)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, there)
    for name in ("pytest.log", "junit.xml"):
        with suppress(FileNotFoundError):
            shutil.copyfile(left / name, build / name)


def _evidence(path: Path, root: Path) -> str:
    """A document without this machine's paths; what is none stays as it is, to be found out."""
    text = path.read_text("utf-8", "replace")
    try:
        document = parse_json(text)
    except FlawedJSON:
        return text
    if not isinstance(document, dict):
        return text
    return json.dumps(portable_document(document, root), ensure_ascii=False) + "\n"


def write_verdict(build: Path, document: VerdictDocument) -> None:
    """Whole or not at all: half a verdict is none."""
    write_json(build / VERDICT, to_builtins(document), indent=2, durable=True)
