"""What the gate prints: what it is about to judge, and the verdict."""

from __future__ import annotations

from rich.console import Console

from harness import __version__
from harness.report.verdict import Verdict
from harness.scenario.gate.existing import address
from harness.scenario.gate.settings import GateSettings
from harness.scenario.gate.target import JudgedSubject
from harness.server import Server

SHOWN = 10  # causes, and warnings, at a terminal; the report has the rest
COLOURS = {"pass": "green", "fail": "red", "unknown": "yellow"}


def header(console: Console, settings: GateSettings, target: JudgedSubject, server: Server) -> None:
    """Plan or command, server and rows."""
    console.print(f"[bold]migration harness {__version__}[/]")
    console.print(f"  {target.subject.kind:<7} {target.words}", markup=False)
    if target.subject.guard:
        console.print(f"  guard   {target.subject.guard}", markup=False)
    console.print(f"  server  {server.provider} PostgreSQL {server.version}, because {server.why}")
    if server.provider == "existing":
        console.print(f"          at {address(server)}: in databases of our own, made and dropped")
    for reason in server.passed_over:
        console.print(f"          passed over: {reason}", markup=False)
    console.print(f"  rows    {settings.rows:,}, seed {settings.seed}, {settings.workers} workers")
    if settings.shard is not None:
        console.print(f"  shard   {settings.shard} alone; harness merge puts the shards together")


def verdict(console: Console, found: Verdict, seconds: float, settings: GateSettings) -> None:
    """Suites, evidence, findings, reasons, and the word."""
    for suite in found.suites:
        total = suite.passed + suite.failed + suite.skipped + suite.left_out
        console.print(
            f"  [{COLOURS[suite.verdict]}]{suite.verdict:<8}[/]{suite.name:<16}{suite.passed:>4}"
            f" of {total} tests, {suite.seconds:6.1f} s of work"
        )
    for one in found.not_applicable:
        console.print(f"  [dim]not applicable: {one.name}[/]", end=", ")
        console.print(one.reason, markup=False)
    for exhibit in found.evidence:
        colour = COLOURS[exhibit.verdict]
        console.print(f"  [{colour}]{exhibit.verdict:<8}[/]evidence {exhibit.name}")
    _causes(console, found)
    for reason in found.reasons():
        console.print(f"  because {reason}", markup=False)
    colour = "green" if found.word == "GO" else "red"
    report = settings.build / "report" / "index.html"
    console.print(f"[bold {colour}]{found.word}[/] in {seconds:.1f} s; report in {report}")


def _causes(console: Console, found: Verdict) -> None:
    for cause in found.causes[:SHOWN]:
        console.print(f"  {cause.sentence}", markup=False, style="red")
        if cause.file:
            console.print(f"    in {cause.file}", markup=False)
        if cause.row:
            row = cause.row
            what = f"{row.relation} {row.key}: {row.column}".rstrip(": ")
            console.print(f"    {what} was {row.before}, is {row.after}", markup=False)
        beneath = f"{len(cause.findings)} findings" if len(cause.findings) > 1 else "one finding"
        console.print(f"    {beneath} beneath; again: {cause.replay}", markup=False)
    if len(found.causes) > SHOWN:
        console.print(f"  and {len(found.causes) - SHOWN} more causes")
    warnings = [finding for finding in found.findings if finding.severity == "warning"]
    for finding in warnings[:SHOWN]:
        console.print(f"  warning: {finding.where}: {finding.message}", markup=False)
