"""The gate: every release suite on a real server, then one verdict file and one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pytest
from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness import __version__, plan
from harness.errors import UsageError
from harness.report import evidence
from harness.report.verdict import Suite, Verdict, with_missing
from harness.scenario import papers, relay
from harness.scenario.judged import changed, judged
from harness.scenario.recorder import Recorder
from harness.server import choose

SUITES = (
    *("validation", "dry_run", "forward", "verify", "security", "contract", "compatibility"),
    *("meanwhile", "rollback", "cleanup", "resume", "crash"),
)
PLANTED = ("sabotage",)
"""Suites that judge the checks, not the plan: run with `full`, and by `make test`."""
SHOWN = 30  # findings at a terminal; the report has the rest


@dataclass(frozen=True)
class Settings:
    """What to judge and on what."""

    plan: Path
    build: Path
    rows: int = 10_000
    seed: int = 1
    server: str = "auto"
    pg_version: int | None = None
    pg_image: str | None = None
    workers: int = 2
    full: bool = False
    keep_failed: bool = False
    quiet: bool = False


def run(settings: Settings) -> dict[str, Any]:
    """Run the suites and return the verdict document, which also stands in build/verdict.json.

    Raises UsageError when the plan or the suites cannot be read, InfrastructureError when there is
    no server; a verdict is only made of suites that had their chance.
    """
    subject = plan.load(settings.plan)
    tests = settings.plan.resolve().parent.parent / "tests" / "migration"
    if not tests.is_dir():
        raise UsageError(
            f"no suites in {tests}", hint="run the gate from a checkout of the project"
        )
    settings.build.mkdir(parents=True, exist_ok=True)
    papers.forget(settings.build)
    evidence.forget(settings.build / "evidence")
    server = choose(settings.server, version=settings.pg_version, image=settings.pg_image)
    console = Console(stderr=settings.quiet, highlight=False, soft_wrap=True)
    _print_header(console, settings, subject, server)
    started = time.monotonic()
    before = judged(subject, settings.rows, settings.seed, tests, server)
    recorder, code = _run_suites(settings, tests, server.provider, console)
    if code == pytest.ExitCode.USAGE_ERROR:
        raise UsageError("pytest refused to start", hint=f"see {settings.build / 'pytest.log'}")
    seconds = time.monotonic() - started
    pieces = evidence.gather(settings.build / "evidence", papers.EVIDENCE)
    after = judged(plan.load(settings.plan), settings.rows, settings.seed, tests, server)
    verdict = Verdict(
        suites=with_missing(recorder.suites.values(), _expected(settings)),
        findings=[*recorder.findings, *(found for piece in pieces for found in piece.findings)],
        complete=recorder.complete,
        evidence=[piece.exhibit for piece in pieces],
        doubts=changed(before, after),
        figures=_figures(recorder, settings, seconds, pieces),
        judged=after,
    )
    document = verdict.document()
    _write(settings.build / "verdict.json", document)
    papers.write(settings.build, document, pieces)
    _print_verdict(console, verdict, seconds, settings)
    return document


def _expected(settings: Settings) -> tuple[str, ...]:
    return (*SUITES, *PLANTED) if settings.full else SUITES


def _wanted(settings: Settings) -> str:
    """The marks of the tests to run."""
    return "not benchmark_suite" + ("" if settings.full else " and not sabotage_suite")


def _write(path: Path, document: dict[str, Any]) -> None:
    """Whole or not at all: half a verdict is none."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(document, indent=2) + "\n")
    partial.replace(path)


def _run_suites(
    settings: Settings, tests: Path, provider: str, console: Console
) -> tuple[Recorder, int]:
    root = tests.parent.parent
    command = [
        *(sys.executable, "-m", "pytest", str(tests), "-p", relay.__name__),
        *("--rootdir", str(root), "-c", str(root / "pyproject.toml")),
        *("-n", str(settings.workers), "--dist", "worksteal"),
        *("-m", _wanted(settings), "--junitxml", str(settings.build / "junit.xml")),
        *(
            "--pg-server",
            provider,
            "--pg-rows",
            str(settings.rows),
            "--pg-seed",
            str(settings.seed),
        ),
        *("--pg-plan", str(settings.plan.resolve())),
        *(["--pg-version", str(settings.pg_version)] if settings.pg_version else []),
        *(["--pg-image", settings.pg_image] if settings.pg_image else []),
        *(["--keep-failed"] if settings.keep_failed else []),
    ]
    with _live(console) as live, (settings.build / "pytest.log").open("w") as log:
        recorder = Recorder(live)
        return recorder, _relayed(command, log, recorder, settings.build / "evidence")


def _relayed(command: list[str], log: TextIO, recorder: Recorder, left: Path) -> int:
    """Run pytest in a process of its own; every line that it relays goes to the recorder.

    What its suites leave as evidence goes to the directory `left`.
    """
    reading, writing = os.pipe()
    environment = os.environ | {
        relay.DESCRIPTOR: str(writing),
        evidence.VARIABLE: str(left.resolve()),
    }
    with subprocess.Popen(
        command,
        env=environment,
        pass_fds=[writing],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    ) as child:
        os.close(writing)
        with os.fdopen(reading) as lines:
            for line in lines:
                recorder.hear(json.loads(line))
    return child.returncode


@contextmanager
def _live(console: Console) -> Iterator[Any]:
    """Yield a receiver of progress: a line redrawn in place at a terminal, nothing in a log."""
    if not console.is_terminal:
        yield lambda *_: None
        return
    with Live(console=console, transient=True, refresh_per_second=10) as live:

        def show(nodeid: str, done: int, total: int, suite: Suite) -> None:
            word = "failed" if suite.failed else "ok"
            test = nodeid.split("::")[-1]
            live.update(
                Text(f"  {done}/{total}  {suite.name}: {word}  {test}", overflow="ellipsis")
            )

        yield show


def _print_header(console: Console, settings: Settings, subject: Any, server: Any) -> None:
    steps = sum(len(phase.steps) for phase in subject.phases)
    console.print(f"[bold]migration harness {__version__}[/]")
    console.print(f"  plan    {subject.name} {subject.version}, {steps} steps, {subject.hash[:12]}")
    console.print(f"  server  {server.provider} PostgreSQL {server.version}, because {server.why}")
    for reason in server.passed_over:
        console.print(f"          passed over: {reason}", markup=False)
    console.print(f"  rows    {settings.rows:,}, seed {settings.seed}, {settings.workers} workers")


def _print_verdict(console: Console, verdict: Verdict, seconds: float, settings: Settings) -> None:
    colours = {"pass": "green", "fail": "red", "unknown": "yellow"}
    for suite in verdict.suites:
        total = suite.passed + suite.failed + suite.skipped
        colour = colours[suite.verdict]
        console.print(
            f"  [{colour}]{suite.verdict:<8}[/]{suite.name:<16}{suite.passed:>4} of {total} tests,"
            f" {suite.seconds:6.1f} s of work"
        )
    for exhibit in verdict.evidence:
        colour = colours[exhibit.verdict]
        console.print(f"  [{colour}]{exhibit.verdict:<8}[/]evidence {exhibit.name}")
    told = [finding for finding in verdict.findings if finding.severity != "info"]
    for finding in told[:SHOWN]:
        console.print(f"  {finding.severity}: {finding.where}", markup=False, style="red")
        console.print(f"    {finding.message}\n    {finding.hint}", markup=False)
    if len(told) > SHOWN:
        console.print(f"  and {len(told) - SHOWN} more findings")
    for reason in verdict.reasons():
        console.print(f"  because {reason}", markup=False)
    colour = "green" if verdict.word == "GO" else "red"
    report = settings.build / "report" / "index.html"
    console.print(f"[bold {colour}]{verdict.word}[/] in {seconds:.1f} s; report in {report}")


def _figures(
    recorder: Recorder, settings: Settings, seconds: float, pieces: Sequence[evidence.Piece]
) -> dict[str, Any]:
    """What was measured, and of the evidence the figures that a reader asks for first."""
    found = {piece.name: piece.document for piece in pieces}
    taken = (
        ("estimate_seconds", found["dry_run"].get("estimate_seconds")),
        ("estimate_error", (found["dry_run"].get("estimate") or {}).get("error")),
        ("warning_percent", found["validate"].get("warning_percent")),
        ("crash_points", found["crash"].get("points")),
    )
    return {
        "rows": settings.rows,
        "tests": recorder.done,
        "seconds": round(seconds, 2),
        "workers": settings.workers,
        **{name: value for name, value in taken if value is not None},
    }
