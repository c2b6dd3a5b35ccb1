"""Ask queries on a database of before and on one of after, and count what each costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.check.contract.session import CONNECTED
from harness.core.errors import UsageError
from harness.database import admin, limits
from harness.scenario.bench.catalog import BenchmarkCatalog, read_catalog
from harness.scenario.bench.catalog_queries import make_queries
from harness.scenario.bench.explain import (
    STILL,
    WRAPPED,
    QueryCost,
    TableScan,
    explain_read,
    explain_write,
    probe_scans,
)
from harness.scenario.bench.query import BenchmarkQuery

Connection = psycopg.Connection[Any]
WRITES: Final = 3  # times that a write is tried; the least of its log has no page written in full


@dataclass(frozen=True)
class MeasuredSide:
    """What a query came to on one side; `refused` is what the server said against it."""

    cost: QueryCost | None = None
    scans: tuple[TableScan, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class MeasuredQuery:
    """A query with both of its sides; None is a side on which it is not asked."""

    query: BenchmarkQuery
    before: MeasuredSide | None
    after: MeasuredSide | None


@dataclass(frozen=True)
class MeasuredPair:
    """Everything that was counted, and the catalogs on both sides."""

    queries: tuple[MeasuredQuery, ...]
    before: BenchmarkCatalog
    after: BenchmarkCatalog


def measure_pair(
    before: str,
    after: str,
    queries: Sequence[BenchmarkQuery],
    tell: Callable[[str], None] = lambda _name: None,
) -> MeasuredPair:
    """Ask the queries, and those made from the catalog, on both sides; nothing is kept of writes.

    Raises UsageError where a query of the subject's cannot be asked before the migration.
    """
    with still_session(before) as old, still_session(after) as new:
        catalogs = read_catalog(old), read_catalog(new)
        found = []
        for query in (*queries, *make_queries(old, *catalogs)):
            tell(query.name)
            given = read_parameters(old, query)
            was = measure_side(old, query, query.before, given)
            if was is not None and was.refused and query.source != "catalog":
                where = query.where
                raise UsageError(f"cannot be asked before: {was.refused}", where=where)
            found.append(MeasuredQuery(query, was, measure_side(new, query, query.after, given)))
    return MeasuredPair(tuple(found), *catalogs)


@contextmanager
def still_session(dsn: str) -> Iterator[Connection]:
    """A session in which the same query on the same rows costs the same."""
    with admin.connection(dsn) as conn:
        limits.take_off(conn)
        for name, value in STILL.items():
            conn.execute("select pg_catalog.set_config(%s, %s, false)", [name, value])
        conn.execute(WRAPPED.encode())
        yield conn


def read_parameters(conn: Connection, query: BenchmarkQuery) -> Mapping[str, Any]:
    """The values of a query's parameters; UsageError where their queries cannot be asked."""
    found = dict(query.literals)
    for name, text in query.params.items():
        try:
            row = conn.execute(text.encode()).fetchone()
        except psycopg.Error as error:
            said = " ".join(str(error).split())
            raise UsageError(f"parameter {name!r}: {said}", where=query.where) from None
        found[name] = row[0] if row else None
    return found


def spell(conn: Connection, statements: Sequence[str], given: Mapping[str, Any]) -> list[str]:
    """Statements with their parameters written into them."""
    if not given:
        return [one.replace("%%", "%") for one in statements]
    cursor = psycopg.ClientCursor(conn)
    return [cursor.mogrify(one.encode(), given) for one in statements]


@contextmanager
def acting(conn: Connection, query: BenchmarkQuery) -> Iterator[None]:
    """A transaction as who asks the query, given up at its end."""
    with conn.transaction(force_rollback=True):
        for name, value in query.actor.claims.items():
            conn.execute("select pg_catalog.set_config(%s, %s, true)", [name, value])
        if query.actor.role != CONNECTED:
            conn.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(query.actor.role)))
        yield


def measure_side(
    conn: Connection, query: BenchmarkQuery, statements: Sequence[str], given: Mapping[str, Any]
) -> MeasuredSide | None:
    """What statements cost here; None when there are none."""
    if not statements:
        return None
    texts = spell(conn, statements, given) if query.source != "catalog" else list(statements)
    try:
        with acting(conn, query):
            scans = probe_scans(conn, texts)
        tries = [_try(conn, query, texts) for _ in range(WRITES if query.writes else 1)]
    except psycopg.Error as error:
        return MeasuredSide(refused=" ".join(str(error).split()))
    return MeasuredSide(_least(tries), scans)


def _try(conn: Connection, query: BenchmarkQuery, texts: Sequence[str]) -> QueryCost:
    with acting(conn, query):
        if query.writes:
            return explain_write(conn, texts)
        costs = [explain_read(conn, text) for text in texts]
    return replace(
        costs[-1],
        buffers=sum(one.buffers for one in costs),
        temp=sum(one.temp for one in costs),
        shape=tuple(line for one in costs for line in one.shape),
        whole=tuple(name for one in costs for name in one.whole),
        indexes=frozenset().union(*(one.indexes for one in costs)),
    )


def _least(tries: Sequence[QueryCost]) -> QueryCost:
    return replace(
        tries[-1],
        buffers=min(one.buffers for one in tries),
        wal_records=min(one.wal_records for one in tries),
        wal_bytes=min(one.wal_bytes for one in tries),
    )
