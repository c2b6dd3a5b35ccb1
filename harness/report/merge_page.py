"""The page of a merge: the answer, the cells of the matrix, and every document with its share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.jsonfile import write_whole
from harness.document.merge import MergeDocument
from harness.document.verdict import VerdictDocument
from harness.report.rendering import environment

LISTED = 100  # reasons and findings on the page


@dataclass(frozen=True)
class MatrixRow:
    """A server and version; `cells` are its verdicts by the numbers of rows, empty where none."""

    server: str
    cells: list[VerdictDocument | None]


@dataclass(frozen=True)
class PartLine:
    """What was merged of one kind, in a word and in numbers."""

    name: str
    verdict: str
    counts: str


def render(document: MergeDocument, path: Path) -> None:
    """Write the page of a merged document: one file that needs no other."""
    amounts = sorted({gate.seed.rows for gate in document.gates})
    page = (
        environment()
        .get_template("merge.html.j2")
        .render(
            d=document,
            go=document.verdict == "GO",
            amounts=amounts,
            matrix=list(_matrix(document, amounts)),
            parts=list(_parts(document)),
            listed=LISTED,
        )
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(path)) from error


def _matrix(document: MergeDocument, amounts: list[int]) -> Iterator[MatrixRow]:
    servers: dict[str, dict[int, VerdictDocument]] = {}
    for gate in document.gates:
        around = gate.environment
        name = f"{around.get('server', 'server')} PostgreSQL {around.get('postgres', '?')}"
        servers.setdefault(name, {})[gate.seed.rows] = gate
    for name in sorted(servers):
        yield MatrixRow(name, [servers[name].get(rows) for rows in amounts])


def _parts(document: MergeDocument) -> Iterator[PartLine]:
    if document.crash is not None:
        one = document.crash
        counts = f"{one.points:,} points, {one.fired:,} fired, {one.states:,} states"
        yield PartLine("crash exploration", one.verdict, counts)
    if document.mutate is not None:
        mutants = document.mutate
        counts = f"{mutants.killed:,} of {mutants.mutants - mutants.equivalent:,} mutants seen"
        yield PartLine("mutants", mutants.verdict, counts)
    if document.live is not None:
        live = document.live
        counts = ", ".join(f"{n:,} {name}" for name, n in live.history.counts.items())
        yield PartLine("under traffic", live.verdict, counts)
