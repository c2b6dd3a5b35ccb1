"""What a query costs, as EXPLAIN counts it: rows, pages, log, and the shape of its plan.

These are counts of one execution, which a busy machine does not change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]
Node = Mapping[str, Any]

STILL: Final = {
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "synchronize_seqscans": "off",
    "search_path": "",
    "timezone": "UTC",
}
"""Settings under which the same query on the same rows costs the same. What a planner weighs, such
as random_page_cost, is left as it is."""
PROBE: Final = (
    *("enable_seqscan", "enable_indexscan", "enable_indexonlyscan", "enable_tidscan"),
    *("enable_hashjoin", "enable_mergejoin"),
)
"""Off while a query is probed: what is left are bitmap scans, which need a condition that an index
can answer, and the sequential scans of tables that have none."""
READS: Final = ("Shared Hit", "Shared Read", "Local Hit", "Local Read")
READ: Final = "EXPLAIN (ANALYZE, VERBOSE, BUFFERS, WAL, TIMING OFF, FORMAT JSON) "
SHAPE: Final = "EXPLAIN (VERBOSE, FORMAT JSON) "
OWNER: Final = """
select n.nspname, t.relname, k.conname
from pg_catalog.pg_constraint k
join pg_catalog.pg_class t on t.oid = k.conrelid
join pg_catalog.pg_namespace n on n.oid = t.relnamespace
where k.conindid = %s::regclass and k.contype <> 'f'
"""
WRAPPED: Final = """
create or replace function pg_temp.harness_write(statements text[]) returns void
language plpgsql as $$
declare
    statement text;
    count bigint;
    total bigint := 0;
begin
    foreach statement in array statements loop
        execute statement;
        get diagnostics count = row_count;
        total := total + count;
    end loop;
    set constraints all immediate;
    perform pg_catalog.set_config('harness.written', total::text, true);
end
$$
"""
"""Runs statements inside one node of a plan: EXPLAIN counts what triggers do after a statement
there, and not where it is the statement that is explained."""


@dataclass(frozen=True)
class TableScan:
    """How a plan gets at a table: all of it, or what an index has."""

    table: str
    index: str | None = None


@dataclass(frozen=True)
class QueryCost:
    """What one execution came to. `buffers` are pages that were looked at, cached or not."""

    rows: int
    buffers: int
    temp: int
    wal_records: int
    wal_bytes: int
    shape: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    """Tables that were read whole, each as often as it was."""
    indexes: frozenset[str] = frozenset()
    """The indexes that gave rows by a condition."""


def explain_read(conn: Connection, statement: str) -> QueryCost:
    """Execute a query that writes nothing, a second time, and count."""
    conn.execute(statement.encode())
    plan = _plan(conn, READ + statement)
    return _cost(plan, int(plan["Actual Rows"] * plan["Actual Loops"]), shape_of(plan))


def explain_write(conn: Connection, statements: Sequence[str]) -> QueryCost:
    """Execute statements in the transaction that is open, and count, with what triggers do."""
    plan = _plan(conn, READ + "SELECT pg_temp.harness_write(%s)", [list(statements)])
    row = conn.execute("select pg_catalog.current_setting('harness.written')").fetchone()
    assert row is not None, "a setting has a value"
    return _cost(plan, int(row[0]), ())


def probe_scans(conn: Connection, statements: Sequence[str]) -> tuple[TableScan, ...]:
    """How statements get at their tables where every index that can serve them is taken.

    Executes nothing. To be asked in a transaction that is given up: a partial index that would be
    read whole, because its own condition is all that it answers, is dropped there, so that it does
    not stand in for one that answers the query's.
    """
    for name in PROBE:
        conn.execute("select pg_catalog.set_config(%s, 'off', true)", [name])
    return tuple(scan for text in statements for scan in scans_of(_probed(conn, text)))


def _probed(conn: Connection, statement: str) -> Node:
    plan = _plan(conn, SHAPE + statement)
    while (unasked := sorted(_unasked(plan))) and _dropped(conn, unasked):
        plan = _plan(conn, SHAPE + statement)
    return plan


def _dropped(conn: Connection, indexes: Sequence[tuple[str, str]]) -> bool:
    """Drop indexes; False where one cannot be, such as a part of a partitioned table's."""
    try:
        with conn.transaction(), _as_owner(conn):
            for schema, index in indexes:
                _drop(conn, sql.Identifier(schema, index))
    except psycopg.Error:
        return False
    return True


def _drop(conn: Connection, index: sql.Identifier) -> None:
    """Drop an index, or the constraint that it belongs to."""
    row = conn.execute(OWNER, [index.as_string(conn)]).fetchone()
    if row is None:
        conn.execute(sql.SQL("DROP INDEX {}").format(index))
        return
    table, constraint = sql.Identifier(*row[:2]), sql.Identifier(row[2])
    conn.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, constraint))


@contextmanager
def _as_owner(conn: Connection) -> Iterator[None]:
    """As who connected, and then as the role that was acting again."""
    row = conn.execute("select pg_catalog.current_setting('role')").fetchone()
    conn.execute("SET LOCAL ROLE NONE")
    yield
    conn.execute("select pg_catalog.set_config('role', %s, true)", row)


def _unasked(plan: Node) -> Iterator[tuple[str, str]]:
    """Schema and name of the indexes that are read whole."""
    for _, node in _nodes(plan, 0):
        if node["Node Type"] == "Bitmap Heap Scan":
            for index in _indexes(node, asked=False):
                yield node["Schema"], index


def shape_of(plan: Node) -> tuple[str, ...]:
    """A plan in lines: each node with its table and index, indented below its parent."""
    return tuple("  " * depth + _line(node) for depth, node in _nodes(plan, 0))


def scans_of(plan: Node) -> Iterator[TableScan]:
    """Every scan of a table in a plan."""
    for _, node in _nodes(plan, 0):
        if "Relation Name" not in node or not str(node["Node Type"]).endswith("Scan"):
            continue
        table = f"{node['Schema']}.{node['Relation Name']}"
        indexes = sorted(_indexes(node))
        if not indexes:
            yield TableScan(table)
        for index in indexes:
            yield TableScan(table, f"{node['Schema']}.{index}")


def _indexes(node: Node, *, asked: bool = True) -> set[str]:
    """The indexes that give a scan its rows by a condition of the query; or without one."""
    found = (
        {node["Index Name"]} if "Index Name" in node and asked is ("Index Cond" in node) else set()
    )
    for child in node.get("Plans", ()):
        if str(child["Node Type"]).startswith("Bitmap"):
            found |= _indexes(child, asked=asked)
    return found


def _nodes(node: Node, depth: int) -> Iterator[tuple[int, Node]]:
    yield depth, node
    for child in node.get("Plans", ()):
        yield from _nodes(child, depth + 1)


def _line(node: Node) -> str:
    table = f" {node['Schema']}.{node['Relation Name']}" if "Relation Name" in node else ""
    index = f" by {node['Index Name']}" if "Index Name" in node else ""
    return f"{node['Node Type']}{table}{index}"


def _cost(plan: Node, rows: int, shape: tuple[str, ...]) -> QueryCost:
    return QueryCost(
        rows=rows,
        buffers=sum(plan.get(f"{kind} Blocks", 0) for kind in READS),
        temp=plan.get("Temp Read Blocks", 0) + plan.get("Temp Written Blocks", 0),
        wal_records=plan.get("WAL Records", 0),
        wal_bytes=plan.get("WAL Bytes", 0),
        shape=shape,
        whole=tuple(_whole(plan)),
        indexes=frozenset(scan.index for scan in scans_of(plan) if scan.index is not None),
    )  # fmt: skip


def _whole(plan: Node) -> Iterator[str]:
    for _, node in _nodes(plan, 0):
        if node["Node Type"] == "Seq Scan":
            yield from [f"{node['Schema']}.{node['Relation Name']}"] * int(node["Actual Loops"])


def _plan(conn: Connection, statement: str, params: Sequence[Any] | None = None) -> Node:
    row = conn.execute(statement.encode(), params).fetchone()
    assert row is not None, "EXPLAIN answers"
    found: Node = row[0][0]["Plan"]
    return found
