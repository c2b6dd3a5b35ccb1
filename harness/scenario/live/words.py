"""A run under traffic, for a person."""

from __future__ import annotations

from collections.abc import Iterator

from harness.document.live import LiveDocument

SHOWN = 5


def lines(document: LiveDocument) -> Iterator[str]:
    """The verdict and what it rests on, the worst first."""
    counts = document.history.counts
    yield f"live: {document.verdict} ({document.seconds:g} s, {document.server})"
    borne = document.rate.borne
    rate = "no rate was borne" if borne is None else f"{borne:g} operations a second"
    yield f"  workload: {rate}, {document.rounds} rounds, as {document.role or 'the owner'}"
    yield (
        f"  history: {document.history.verdict}, {counts['operations']:,} operations,"
        f" {counts['writes_acknowledged']:,} writes acknowledged ({counts['at_work']:,} while a run"
        f" was at work), {counts['writes_refused']:,} refused, {counts['writes_unknown']:,} unknown"
    )
    kills = [kill for kill in document.kills if kill.fired]
    struck = ", ".join(f"{kill.victim} in {kill.direction} {kill.step}" for kill in kills[:SHOWN])
    yield f"  kills: {len(kills)}" + (f" ({struck})" if struck else "")
    yield f"  victims: {len(document.victims)} operations waited for a lock"
    yield from _latencies(document)
    yield from _throughput(document)
    yield from _new_clients(document)
    for finding in document.findings:
        yield f"  {finding.severity}: {finding.id} {finding.where}: {finding.message}"
        yield from (f"    {part}" for part in (finding.evidence, finding.hint) if part)
    yield from (f"  unknown: {why}" for why in document.unknowns)
    yield f"  the history is in {document.history.file}, for elle-cli in {document.history.elle}"


def _latencies(document: LiveDocument) -> Iterator[str]:
    latency = document.latency
    parts = [
        f"{name} p50 {one.p50:g} p99 {one.p99:g} longest {one.longest:g} ms (n = {one.n})"
        for name, one in (
            ("before", latency.control), ("forward", latency.forward), ("back", latency.rollback),
            ("during batches", latency.batches),
        )
        if one is not None
    ]  # fmt: skip
    yield f"  latency: {latency.verdict}; " + "; ".join(parts)
    if latency.why and latency.verdict == "unknown":
        yield f"    {latency.why}"


def _throughput(document: LiveDocument) -> Iterator[str]:
    found = document.throughput
    if found is None:
        return
    parts = [
        f"{name} {rate:.0f} a second"
        for name, rate in (
            ("before", found.before), ("beside a busy session", found.beside),
            ("forward", found.forward), ("back", found.rollback),
            ("after", found.after),
        )
        if rate is not None
    ]  # fmt: skip
    share = "" if found.share is None else f" ({100 * found.share:.0f}% during a run)"
    yield f"  throughput: {found.verdict}; " + ", ".join(parts) + share
    if found.why and found.verdict == "unknown":
        yield f"    {found.why}"


def _new_clients(document: LiveDocument) -> Iterator[str]:
    found = document.new_clients
    if found is None:
        return
    if not found.applicable:
        yield f"  new clients: not applicable; {found.why}"
        return
    yield (
        f"  new clients: {found.operations:,} operations, {found.writes_acknowledged:,} writes"
        f" acknowledged, {found.refused:,} refused"
    )
