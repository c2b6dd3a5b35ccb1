"""What costs more after the migration than it may: lost indexes, doubled pages, doubled log.

Counts decide, clocks do not. What a project accepts by name is told, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from harness.core.finding import Finding
from harness.scenario.bench.catalog import BenchmarkCatalog
from harness.scenario.bench.explain import QueryCost, TableScan
from harness.scenario.bench.measure import MeasuredPair, MeasuredQuery, MeasuredSide
from harness.scenario.bench.query import Counter

FACTOR: Final = 2.0
"""How many times its old cost a query may have where it does not say another limit."""
LEAST: Final[Mapping[Counter, int]] = {"buffers": 128, "wal": 1024}
"""What a counter must have grown by at least to be spoken of."""
PAGES_A_ROW: Final = 5
"""Pages that a read may look at for a row that it answers: an index, and what it is joined with. On
a small table that is more than all of it, and the planner takes it since it ends at a LIMIT."""
UNITS: Final[Mapping[Counter, str]] = {"buffers": "pages read", "wal": "bytes of log written"}


def judge_costs(pair: MeasuredPair, accepted: Mapping[str, str] | None = None) -> list[Finding]:
    """Everything that a pair of databases shows against the migration; accepted is info."""
    found = [*_lost_indexes(pair.before, pair.after), *_grown_tables(pair.before, pair.after)]
    for one in pair.queries:
        found += _judged(one, pair)
    reasons = accepted or {}
    return [
        replace(one, severity="info", message=f"{one.message}; accepted: {reasons[one.where]}")
        if one.where in reasons
        else one
        for one in found
    ]


def _lost_indexes(before: BenchmarkCatalog, after: BenchmarkCatalog) -> Iterator[Finding]:
    """Indexes that are gone from a table that is there with their columns, and nothing instead."""
    for index in before.indexes.values():
        table = after.tables.get(index.table)
        if table is None or index.oid in after.indexes:
            continue
        if not {key for key in index.keys if key} <= table.columns.keys():
            continue
        if any(one.serves(index) for one in after.indexes_of(index.table)):
            continue
        yield Finding(
            "benchmark.index-lost", "critical", index.name,
            f"the index {index.name} of {table.name} is gone, and no other serves what it served",
            f"keep it, or accept it by name: [benchmark] accept = {{ '{index.name}' = 'why' }}",
        )  # fmt: skip


def _grown_tables(before: BenchmarkCatalog, after: BenchmarkCatalog) -> Iterator[Finding]:
    """Tables that are twice as large as they were: who reads all of one reads that much more."""
    for table in before.real_tables():
        now = after.tables.get(table.oid)
        grown = 0 if now is None else now.pages - table.pages
        if now is None or now.pages <= FACTOR * table.pages or grown < LEAST["buffers"]:
            continue
        yield Finding(
            "benchmark.table-size", "info", now.name,
            f"{now.name} has {now.pages:,} pages, {now.pages / max(table.pages, 1):.1f} times the"
            f" {table.pages:,} of before: wider rows, and room of old versions of rows",
            "VACUUM FULL or pg_repack gives the room back, where whole reads of it matter",
        )  # fmt: skip


def _judged(one: MeasuredQuery, pair: MeasuredPair) -> Iterator[Finding]:
    if one.after is None:
        return
    if one.after.refused:
        if one.query.source != "catalog":
            yield _finding(one, "refused", "critical", f"is refused after: {one.after.refused}")
        return
    yield from _unexpected(one)
    if one.before is None or one.before.refused:
        return
    was, now = one.before.cost, one.after.cost
    assert was is not None, "what is not refused was counted"
    assert now is not None, "what is not refused was counted"
    if was.rows != now.rows and one.query.source != "catalog":
        text = (
            f"{was.rows} rows before and {now.rows} after: the costs of unlike answers say nothing"
        )
        yield _finding(one, "rows", "critical", text)
        return
    yield from _scanned(one, one.before, one.after, pair)
    yield from _costlier(one, was, now, pair)


def _unexpected(one: MeasuredQuery) -> Iterator[Finding]:
    """Indexes that the query says it needs, and that serve nothing of it."""
    assert one.after is not None, "it was asked"
    assert one.after.cost is not None, "it was counted"
    used = {scan.index for scan in one.after.scans} | one.after.cost.indexes
    for name in one.query.expects:
        if name not in used:
            text = f"needs the index {name}, which is not there or cannot serve it"
            yield _finding(one, "index-unused", "critical", text)


def _scanned(
    one: MeasuredQuery, was: MeasuredSide, now: MeasuredSide, pair: MeasuredPair
) -> Iterator[Finding]:
    """Tables that are read whole now, where an index gave their rows before."""
    whole = [scan.table for scan in was.scans if scan.index is None]
    read_now = [scan.table for scan in now.scans if scan.index is None]
    allowed = one.query.allows.get("scans")
    if len(read_now) <= len(whole) + (allowed.limit if allowed else 0):
        return
    held = {pair.before.names.get(name) for name in whole}
    tables = [name for name in read_now if pair.after.names.get(name) not in held] or read_now
    indexes = _given_up(was.scans, now.scans, pair)
    by = f", of which {' and '.join(indexes)} gave the rows before" if indexes else ""
    text = f"can only read all of {' and '.join(dict.fromkeys(tables))}{by}"
    yield _finding(one, "scan", "critical", text, _shapes(one))


def _given_up(was: Sequence[TableScan], now: Sequence[TableScan], pair: MeasuredPair) -> list[str]:
    """The indexes that served before and do not now, by their old names."""
    used = {scan.index for scan in now if scan.index}
    names = {index.oid: index.name.replace('"', "") for index in pair.after.indexes.values()}
    old = {index.name.replace('"', ""): index.oid for index in pair.before.indexes.values()}
    return [
        name
        for name in dict.fromkeys(scan.index for scan in was if scan.index)
        if names.get(old.get(name, -1)) not in used
    ]


def _costlier(
    one: MeasuredQuery, was: QueryCost, now: QueryCost, pair: MeasuredPair
) -> Iterator[Finding]:
    counters: dict[Counter, tuple[int, int]] = {
        "buffers": (was.buffers + _grown(was, now, pair), now.buffers),
        "wal": (was.wal_bytes, now.wal_bytes) if one.query.writes else (0, 0),
    }
    ours = one.query.source != "catalog"
    for counter, (old, new) in counters.items():
        allowed = one.query.allows.get(counter)
        limit = allowed.limit if allowed else FACTOR
        least = LEAST[counter]
        if counter == "buffers" and not one.query.writes:
            least = max(least, PAGES_A_ROW * now.rows)
        if new <= old * limit or new - old < least:
            continue
        times = f"{new / old:.1f} times" if old else "more than"
        text = f"{new:,} {UNITS[counter]}, {times} the {old:,} of before; {limit:g} times may be"
        severity = "critical" if ours else "warning"
        yield _finding(one, counter, severity, text, _shapes(one))


def _grown(was: QueryCost, now: QueryCost, pair: MeasuredPair) -> int:
    """Pages that tables have grown by which are read whole, as they were: each tells it itself."""
    before = {pair.before.names.get(name) for name in was.whole}
    found = 0
    for name in now.whole:
        oid = pair.after.names.get(name, -1)
        if oid in before and oid in pair.after.tables and oid in pair.before.tables:
            found += max(0, pair.after.tables[oid].pages - pair.before.tables[oid].pages)
    return found


def _finding(
    one: MeasuredQuery, what: str, severity: str, text: str, evidence: str = ""
) -> Finding:
    hint = "compare the plans of before and after in the evidence"
    if what in ("buffers", "wal"):
        hint = f"find what it does more; a file of benchmarks may say: allows: {what} NUMBER why"
    assert severity in ("critical", "warning"), severity
    return Finding(
        f"benchmark.{what}", "critical" if severity == "critical" else "warning",
        one.query.name, f"{one.query.name}: {text}", hint, evidence,
    )  # fmt: skip


def _shapes(one: MeasuredQuery) -> str:
    sides = []
    for word, side in (("before", one.before), ("after", one.after)):
        if side is not None and side.cost is not None:
            scans = [f"{scan.table} by {scan.index or 'all of it'}" for scan in side.scans]
            sides += [f"{word}:", *(side.cost.shape or scans)]
    return "\n".join(sides)
