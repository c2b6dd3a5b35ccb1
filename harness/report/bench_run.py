"""A run of the benchmarks as Markdown: each figure with its spread, and where it was taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from harness.document.bench_run import BenchResultDocument, BenchRunDocument, BenchTimeDocument

KINDS = {
    "harness": "Servers and crash points",
    "migration": "The migration",
    "legacy query": "Old clients",
    "query": "New clients, beside what the old ones asked",
}


def bench_run_markdown(document: BenchRunDocument, command: str, day: date) -> str:
    """The page: what it was run on, tables by kind, exponents, findings."""
    where = f"{document.server}; {document.machine}; {document.seconds:.0f} s"
    lines = [
        "# Benchmarks", "",
        f"Written by `{command} --markdown FILE` on {day.isoformat()}; do not edit it.",
        f"{where}; verdict {document.verdict}.",
        "Medians, ± the distance of the quartiles; a ratio is the median of runs that took turns.",
    ]  # fmt: skip
    for kind, title in KINDS.items():
        found = [one for one in document.benchmarks if one.kind == kind]
        if found:
            lines += ["", f"## {title}", "", *_table(found)]
    if document.exponents:
        lines += ["", "## Growth with the rows", ""]
        lines += ["| benchmark | exponent | 95% bounds | verdict |", "| --- | ---: | --- | --- |"]
        lines += [
            f"| {one.name} | {one.exponent:.2f} | {one.lower:.2f} to {one.upper:.2f}"
            f" | {'cannot tell' if one.verdict == 'unknown' else one.verdict} |"
            for one in document.exponents
        ]
    if document.findings:
        lines += ["", "## Findings", ""]
        lines += [f"- {one.severity}: {_cell(one.message)}" for one in document.findings]
    return "\n".join(lines) + "\n"


def _table(results: Sequence[BenchResultDocument]) -> Iterator[str]:
    yield "| benchmark | rows | time | beside | time of that | ratio |"
    yield "| --- | ---: | ---: | --- | ---: | ---: |"
    for one in results:
        beside = one.against or ("before the migration" if one.before else "")
        limit = f", {one.limit:g} may be" if one.limit is not None else ""
        ratio = f"{one.ratio:.2f}{limit}" if one.ratio is not None else ""
        other = _time(one.before) if one.before is not None else ""
        rows = f"{one.rows:,}" if one.rows else ""
        yield (
            f"| {one.name} | {rows} | {_time(one.seconds)} | {_cell(beside)} | {other} | {ratio} |"
        )


def _time(times: BenchTimeDocument) -> str:
    """Seconds or milliseconds, with the spread."""
    factor, unit = (1, "s") if times.median >= 1 else (1000, "ms")
    return f"{times.median * factor:.2f} ±{times.spread * factor:.2f} {unit}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
