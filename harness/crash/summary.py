"""What an exploration came to, in words for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.crash.model import NOWHERE, START
from harness.crash.request import total
from harness.document.crash import CrashDocument, FailureDocument

SHOWN = 20  # causes that a person is shown; the page has all of them


def words(document: CrashDocument) -> Sequence[str]:
    """The answer: figures by domain, each cause with a line that replays it, what was left out."""
    lines = [_noted(note) for note in document.notes]
    causes = document.causes
    for cause in causes[:SHOWN]:
        lines += _cause(cause)
    if len(causes) > SHOWN:
        lines.append(f"  and {len(causes) - SHOWN} more causes; --json and the page have them all")
    lines += [
        f"  {name:<12}{part.points:>6} points, {part.fired:>6} fired,"
        f" {part.states:>4} states, {part.seconds:7.1f} s of work"
        for name, part in document.domains.items()
        if part.points
    ]
    if guard := document.environment.get("guard"):
        lines.append(f"  what keeps it from other databases: {guard}")
    return [*lines, *_left_out(document), _headline(document)]


def _noted(note: FailureDocument) -> str:
    where = "" if note.step == START else f"{note.step} ({note.file}), {note.direction}: "
    return f"  note: {where}{note.reason}"


def _cause(cause: FailureDocument) -> Iterator[str]:
    many = f", {cause.points:,} points" if (cause.points or 1) > 1 else ""
    file = f" ({cause.file})" if cause.file else ""
    where = f"{cause.step}{file}, {cause.direction}{many}"
    if cause.step == NOWHERE:
        where = f"nothing struck in {', '.join(cause.domains or ())}, {cause.direction}"
    yield f"  {cause.outcome}: {where}: {cause.reason}"
    yield f"    {cause.replay}"


def _left_out(document: CrashDocument) -> Iterator[str]:
    absent: dict[tuple[str, str], list[str]] = {}
    for each in document.not_applicable:
        name = f"{each.domain} {each.fault}" if each.fault else each.domain
        absent.setdefault((each.direction, each.reason), []).append(name)
    for (direction, reason), domains in absent.items():
        yield f"  not applicable: {', '.join(domains)}, {direction}: {reason}"
    for what, names in document.not_asked.items():
        if names:
            yield f"  {what} not asked for: {', '.join(names)}"


def _headline(document: CrashDocument) -> str:
    sample = document.sample
    there = total(document.enumerated)
    share = f" of {there:,}" if there != document.points else ""
    points = f"{document.points:,}{share} points"
    if sample.is_sample:
        points = f"a sample: {sample.struck:,} of {sample.of:,} points"
    if document.shard:
        points = f"shard {document.shard}: {document.points:,} of {points}"
    return (
        f"crash exploration: {document.verdict}; {points},"
        f" {document.fired:,} fired, {document.states} states,"
        f" {document.seconds:.1f} s"
    )
