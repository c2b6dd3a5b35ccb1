"""The gate: every release suite on a real server, then one verdict file and one line."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import psutil
import pytest
from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness import __version__, plan
from harness.errors import UsageError
from harness.report.verdict import Suite, Verdict, with_missing
from harness.scenario import relay
from harness.scenario.recorder import Recorder
from harness.server import choose

SUITES = ("forward", "rollback", "resume", "crash", "compatibility")


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
    (settings.build / "verdict.json").unlink(missing_ok=True)  # an old GO must not outlive a crash
    server = choose(settings.server, version=settings.pg_version, image=settings.pg_image)
    console = Console(stderr=settings.quiet, highlight=False, soft_wrap=True)
    _print_header(console, settings, subject, server)
    started = time.monotonic()
    recorder, code = _run_suites(settings, tests, server.provider, console)
    if code == pytest.ExitCode.USAGE_ERROR:
        raise UsageError("pytest refused to start", hint=f"see {settings.build / 'pytest.log'}")
    seconds = time.monotonic() - started
    verdict = Verdict(
        suites=with_missing(recorder.suites.values(), SUITES),
        findings=recorder.findings,
        complete=recorder.complete,
        figures=_figures(recorder, settings, seconds),
        judged=_judged(settings, subject, server),
    )
    document = verdict.document()
    (settings.build / "verdict.json").write_text(json.dumps(document, indent=2) + "\n")
    _print_verdict(console, verdict, seconds, settings)
    return document


def _run_suites(
    settings: Settings, tests: Path, provider: str, console: Console
) -> tuple[Recorder, int]:
    root = tests.parent.parent
    command = [
        *(sys.executable, "-m", "pytest", str(tests), "-p", relay.__name__),
        *("--rootdir", str(root), "-c", str(root / "pyproject.toml")),
        *("-n", str(settings.workers), "--dist", "worksteal"),
        *("-m", "not benchmark_suite", "--junitxml", str(settings.build / "junit.xml")),
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
        return recorder, _relayed(command, log, recorder)


def _relayed(command: list[str], log: TextIO, recorder: Recorder) -> int:
    """Run pytest in a process of its own; every line that it relays goes to the recorder."""
    reading, writing = os.pipe()
    environment = os.environ | {relay.DESCRIPTOR: str(writing)}
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
    for finding in verdict.findings:
        console.print(f"  {finding.severity}: {finding.where}", markup=False, style="red")
        console.print(f"    {finding.message}\n    {finding.hint}", markup=False)
    for reason in verdict.reasons():
        console.print(f"  because {reason}", markup=False)
    colour = "green" if verdict.word == "GO" else "red"
    evidence = settings.build / "verdict.json"
    console.print(f"[bold {colour}]{verdict.word}[/] in {seconds:.1f} s; evidence in {evidence}")


def _figures(recorder: Recorder, settings: Settings, seconds: float) -> dict[str, Any]:
    return {
        "rows": settings.rows,
        "tests": recorder.done,
        "seconds": round(seconds, 2),
        "workers": settings.workers,
    }


def _judged(settings: Settings, subject: Any, server: Any) -> dict[str, Any]:
    return {
        "judged_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "plan": {"name": subject.name, "version": subject.version, "hash": subject.hash},
        "seed": {"rows": settings.rows, "seed": settings.seed, "profiles": ["real", "hostile"]},
        "tool": {"name": "migration-harness", "version": __version__},
        "environment": {
            "server": server.provider,
            "postgres": server.version,
            "python": sys.version.split()[0],
            "platform": platform.platform(),
            "cores": os.cpu_count(),
            "memory_bytes": psutil.virtual_memory().total,
        },
    }
