"""A gate from its first look at the plan to the verdict."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from rich.console import Console

from harness.core.errors import UsageError
from harness.document.base import from_builtins, to_builtins
from harness.document.validate import ValidateDocument
from harness.document.verdict import VerdictDocument
from harness.report import evidence
from harness.report.portable import portable_document
from harness.report.verdict import Verdict, with_missing
from harness.scenario.gate import build, child, papers, told, workspace
from harness.scenario.gate.before import judged_source
from harness.scenario.gate.discovery import Suites, discover
from harness.scenario.gate.existing import guarded
from harness.scenario.gate.interruption import interruptible
from harness.scenario.gate.left_out import left_out, uncounted
from harness.scenario.gate.progress import narrator
from harness.scenario.gate.provenance import Amount, changed, judged
from harness.scenario.gate.recorder import Advance, SuiteRecorder
from harness.scenario.gate.retold import SuiteReplay, by_cause, retold
from harness.scenario.gate.settings import GateSettings
from harness.scenario.gate.share import shard_document, take_share
from harness.scenario.gate.target import JudgedSubject, target_of
from harness.scenario.gate.workspace import Workspace
from harness.server import Server, choose, close_owned
from harness.subject.choice import made_of


def run(settings: GateSettings) -> VerdictDocument:
    """Run the suites and return the verdict, which also stands in build/verdict.json.

    Raises UsageError when the plan or the suites cannot be read or the build directory cannot be
    written, AnotherRunnerError when another gate holds it, InfrastructureError when there is no
    server, Stopped on a signal. A verdict that stood there stays until the suites are collected.
    """
    target = target_of(settings)
    suites = _suites(settings, target)
    with (
        interruptible(),
        build.held(settings.build),
        _server(settings) as server,
        guarded(server, target.baseline, settings.keep_failed),
        workspace.opened() as space,
    ):
        return _judged(settings, target, suites, server, space)


def _suites(
    settings: GateSettings, target: JudgedSubject, lacking: Mapping[str, str] | None = None
) -> Suites:
    found = discover(
        target.plan, settings.root, settings.project, full=settings.full, lacking=lacking
    )
    return take_share(found, settings.shard, settings.costs)


@contextmanager
def _server(settings: GateSettings) -> Iterator[Server]:
    """The one server of this gate, ready; it ends with the gate."""
    server = choose(
        settings.server, version=settings.pg_version, image=settings.pg_image, dsn=settings.dsn
    )
    try:
        server.start()
        server.wait_ready(60)
        yield server
    finally:
        close_owned()


def _judged(
    settings: GateSettings, target: JudgedSubject, suites: Suites, server: Server, space: Workspace
) -> VerdictDocument:
    console = Console(stderr=settings.quiet, highlight=False, soft_wrap=True)
    told.header(console, settings, target, server)
    started = time.monotonic()
    source = judged_source(server, target, settings.project)
    if source.lacking:
        suites = _suites(settings, target, source.lacking)
    there = suites.defined()
    before = _provenance(settings, target, suites, server)
    recorder = _run_suites(settings, suites, space, server, console)
    seconds = time.monotonic() - started
    build.forget(settings.build)
    build.take_over(settings.build, space.left, suites.root)
    pieces = evidence.gather(settings.build / "evidence", suites.evidence)
    after = _provenance(settings, target_of(settings), suites, server)
    missing = left_out(there, recorder)
    replay = SuiteReplay(settings, server)
    left = [finding for piece in pieces for finding in piece.findings]
    findings = retold([*suites.absent, *missing, *recorder.findings, *left], replay)
    documents = {piece.name: piece.document for piece in pieces}
    compared, counted = documents.get("verify"), documents.get("validate")
    verdict = Verdict(
        suites=with_missing(recorder.judged_suites(missing), suites.expected),
        findings=findings,
        complete=recorder.complete,
        evidence=[piece.exhibit for piece in pieces],
        doubts=[*changed(before, after), *source.doubts, *uncounted(recorder)],
        figures=_figures(recorder, settings, seconds, pieces),
        judged=after | {"seed": after["seed"] | {"tables": _tables(counted)}},
        causes=by_cause(findings, compared, target.plan, replay),
        not_applicable=suites.not_applicable,
    )
    told_anywhere = portable_document(to_builtins(verdict.document()), suites.root)
    document = msgspec.structs.replace(
        from_builtins(told_anywhere | {"source": source.document}, VerdictDocument),
        shard=shard_document(suites, settings.shard, settings.costs),
    )
    build.write_verdict(settings.build, document)
    papers.write(settings.build, document, pieces)
    told.verdict(console, verdict, seconds, settings)
    return document


def _provenance(
    settings: GateSettings, target: JudgedSubject, suites: Suites, server: Server
) -> dict[str, Any]:
    """What is judged, as its files are now."""
    return judged(
        target.judged,
        target.settings,
        made_of(target.plan, settings.project),
        Amount(settings.rows, settings.seed),
        suites.own_directory,
        server,
    )


def _run_suites(
    settings: GateSettings, suites: Suites, space: Workspace, server: Server, console: Console
) -> SuiteRecorder:
    with narrator(console) as narrated:

        def ended(advance: Advance) -> None:
            narrated.ended(advance)

        recorder = SuiteRecorder(ended, suites.home)

        def hear(line: dict[str, Any]) -> None:
            begun = recorder.begun
            recorder.hear(line)
            if recorder.begun and not begun:
                build.forget(settings.build)

        code = child.run(settings, suites, space, server, hear, narrated.tick)
    if code == pytest.ExitCode.USAGE_ERROR:
        log, said = settings.build / build.REFUSED, (space.left / "pytest.log").read_text()
        log.write_text(said)
        lines = [line.removeprefix("E").strip() for line in said.splitlines() if line.strip()]
        raise UsageError(
            f"pytest refused to start: {lines[-1] if lines else 'no reason was given'}",
            hint=f"see {log}",
        )
    return recorder


def _tables(counted: ValidateDocument | None) -> dict[str, int]:
    """How many rows each table had, as validate counted them."""
    return {one.name: one.rows for one in counted.relations} if counted else {}


def _figures(
    recorder: SuiteRecorder,
    settings: GateSettings,
    seconds: float,
    pieces: Sequence[evidence.EvidencePiece],
) -> dict[str, Any]:
    """What was measured, and of the evidence the figures that a reader asks for first."""
    return {
        "rows": settings.rows,
        "tests": recorder.done,
        "seconds": round(seconds, 2),
        "workers": settings.workers,
        **{name: value for piece in pieces for name, value in piece.figures.items()},
    }
