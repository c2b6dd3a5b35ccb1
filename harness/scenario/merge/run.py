"""The merge from its files to its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.core.finding import Finding
from harness.document.crash import CrashDocument
from harness.document.live import LiveDocument
from harness.document.merge import MergedFile, MergeDocument
from harness.document.mutate import MutateDocument
from harness.document.verdict import SuiteDocument, VerdictDocument
from harness.scenario.merge.crash import merge_crash
from harness.scenario.merge.gate import merge_gate
from harness.scenario.merge.live import merge_live
from harness.scenario.merge.mutate import merge_mutate
from harness.scenario.merge.piece import Mergeable, Piece, read_pieces
from harness.scenario.merge.sorting import Sorted, sort_pieces


def merge_files(paths: Sequence[Path]) -> MergeDocument:
    """Merge the documents of files. UsageError when one cannot be read, or all are of two plans."""
    pieces = [piece for path in paths for piece in read_pieces(path)]
    found = sort_pieces(pieces)
    lost = [finding.message for finding in found.findings]
    merged = [_merged(group, lost) for group in found.groups]
    gates = [one for one in merged if isinstance(one, VerdictDocument)]
    reasons = [*lost, *_objections(pieces), *(why for one in merged for why in _against(one))]
    usual = found.groups[0][0] if found.groups else pieces[0]
    return MergeDocument(
        verdict="NO-GO" if reasons else "GO",
        reasons=list(dict.fromkeys(reasons)),
        files=[_file(piece, found, number) for number, piece in enumerate(pieces)],
        suites=list(_suites(gates)),
        findings=[*found.findings, *_findings(merged)],
        figures=_figures(merged),
        plan_hash=str(usual.shared["plan hash"]),
        tool_hash=str(usual.shared["hash of the harness"]),
        seed=int(usual.shared["seed"] or 0),
        gates=gates,
        crash=_only(merged, CrashDocument),
        mutate=_only(merged, MutateDocument),
        live=_only(merged, LiveDocument),
    )


def _merged(group: Sequence[Piece], lost: Sequence[str]) -> Mergeable:
    documents: list[Any] = [piece.document for piece in group]
    kind = group[0].kind
    if kind == "gate":
        mine = [why for why in lost if why.startswith("gate: ")] if group[0].shard else []
        return merge_gate(documents, mine)
    if kind == "crash":
        return merge_crash(documents)
    return merge_mutate(documents) if kind == "mutate" else merge_live(documents)


def _only(merged: Sequence[Mergeable], kind: type[Any]) -> Any:
    return next((one for one in merged if isinstance(one, kind)), None)


def _file(piece: Piece, found: Sorted, number: int) -> MergedFile:
    return MergedFile(
        path=piece.name,
        kind=piece.kind,
        shard=str(piece.shard) if piece.shard else "",
        verdict=piece.document.verdict,
        why=found.turned_away.get(number, ""),
    )


def _objections(pieces: Sequence[Piece]) -> Iterator[str]:
    for piece in pieces:
        if piece.objection:
            yield f"{piece.name}: {piece.objection}"


def cell_of(gate: VerdictDocument) -> str:
    """What a gate ran on, in words."""
    around = gate.environment
    server = f"{around.get('server', 'server')} PostgreSQL {around.get('postgres', '?')}"
    return f"{server}, {gate.seed.rows:,} rows"


def _against(one: Mergeable) -> Iterator[str]:
    """Why a merged document holds GO back."""
    if isinstance(one, VerdictDocument):
        if one.verdict != "GO":
            reason = one.reasons[0] if one.reasons else "no reason is given"
            yield f"gate on {cell_of(one)}: {reason}"
        return
    if one.verdict == "pass":
        return
    if isinstance(one, CrashDocument):
        yield f"crash: {one.verdict}, {one.failed:,} points failed, {one.unknown:,} are unknown"
    elif isinstance(one, MutateDocument):
        score = "no score" if one.score is None else f"{one.score:.2f}%"
        yield f"mutate: {one.verdict}, {score}, {len(one.survivors):,} survived"
    else:
        said = [*(finding.message for finding in one.findings), *one.unknowns]
        yield f"live: {one.verdict}, {said[0] if said else 'no reason is given'}"


def _suites(gates: Sequence[VerdictDocument]) -> Iterator[SuiteDocument]:
    """Every suite; of several gates each with what it ran on."""
    for gate in gates:
        for suite in gate.suites:
            name = f"{cell_of(gate)}: {suite.name}" if len(gates) > 1 else suite.name
            yield msgspec.structs.replace(suite, name=name)


def _findings(merged: Sequence[Mergeable]) -> Iterator[Finding]:
    for one in merged:
        if isinstance(one, VerdictDocument | LiveDocument):
            yield from one.findings


def _figures(merged: Sequence[Mergeable]) -> dict[str, Any]:
    """What was done, in numbers that add up."""
    figures: dict[str, Any] = {"gates": 0, "tests": 0, "seconds": 0.0}
    for one in merged:
        if isinstance(one, VerdictDocument):
            figures["gates"] += 1
            figures["tests"] += one.figures.get("tests", 0)
            figures["seconds"] += one.figures.get("seconds", 0.0)
            continue
        figures["seconds"] += one.seconds
        if isinstance(one, CrashDocument):
            figures |= {"crash_points": one.points, "crash_fired": one.fired}
        elif isinstance(one, MutateDocument):
            figures |= {"mutants": one.mutants, "killed": one.killed}
        else:
            figures["acknowledged"] = one.history.counts.get("acknowledged", 0)
    return figures | {"seconds": round(figures["seconds"], 2)}
