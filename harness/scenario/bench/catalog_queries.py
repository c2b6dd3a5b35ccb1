"""Queries for any subject, made from its catalog: by key, by index, by reference, count, update.

A table is known again by its oid, a column by its number, so that a renamed one is asked by its new
name; where its old name lives on as a view, it is asked by that too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.scenario.bench.catalog import BenchmarkCatalog, BenchmarkTable, Columns
from harness.scenario.bench.query import BenchmarkQuery

Connection = psycopg.Connection[Any]
UPDATED: Final = 20  # rows of the update of a table
EQUALITY: Final = ("btree", "hash")


@dataclass(frozen=True)
class _Maker:
    """Both catalogs, and a session that knows how to quote."""

    conn: Connection
    before: BenchmarkCatalog
    after: BenchmarkCatalog

    def tables(self) -> Iterator[tuple[BenchmarkTable, BenchmarkTable, str]]:
        """Each table of before with what it is after, and a word for a name that is a view now."""
        for table in self.before.real_tables():
            renamed = self.after.tables.get(table.oid)
            by_name = self.after.tables.get(self.after.names.get(table.name, -1))
            if renamed is not None:
                yield table, renamed, ""
            if by_name is not None and by_name is not renamed:
                yield (
                    table,
                    _with_numbers(by_name, table),
                    "" if renamed is None else ", as old clients name it",
                )

    def of_table(
        self, was: BenchmarkTable, now: BenchmarkTable, word: str
    ) -> Iterator[BenchmarkQuery]:
        yield self._query(
            f"count of {was.name}{word}",
            "all rows, counted",
            was,
            now,
            (),
            "SELECT count(*) FROM {t}",
        )
        for what, keys in self._asked(was):
            columns = ", ".join(was.columns[key] for key in keys)
            if not set(keys) <= now.columns.keys():
                continue
            row = self._row(was, keys)
            if row is not None:
                yield self._query(
                    f"{what} {was.name} ({columns}){word}", "rows of one value", was, now, keys,
                    "SELECT * FROM {t} WHERE {where}", row,
                )  # fmt: skip
        update = None if word else self._update(was, now)
        if update is not None:
            yield update

    def _asked(self, table: BenchmarkTable) -> Iterator[tuple[str, Columns]]:
        """The columns that queries ask by, each once: of keys, of indexes, of references."""
        seen: set[Columns] = set()
        indexes = self.before.indexes_of(table.oid)
        plain = [one for one in indexes if not one.special and one.method in EQUALITY]
        found = [("key" if one.unique else "index", one.keys) for one in plain]
        found += [("reference", keys) for oid, keys in self.before.references if oid == table.oid]
        for what, keys in found:
            if keys not in seen and set(keys) <= table.columns.keys():
                seen.add(keys)
                yield what, keys

    def _row(self, table: BenchmarkTable, keys: Columns) -> tuple[str, ...] | None:
        """Values that some row has in these columns."""
        names = [sql.Identifier(table.columns[key]) for key in keys]
        query = sql.SQL("SELECT {} FROM {} WHERE {} LIMIT 1").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(name) for name in names),
            sql.Identifier(table.schema, table.relation),
            sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(name) for name in names),
        )
        return self.conn.execute(query).fetchone()

    def _query(
        self,
        name: str,
        about: str,
        was: BenchmarkTable,
        now: BenchmarkTable,
        keys: Columns,
        text: str,
        row: Sequence[str] = (),
    ) -> BenchmarkQuery:
        sides = []
        for table in (was, now):
            conditions = [
                sql.SQL("{} = {}").format(sql.Identifier(table.columns[key]), sql.Literal(value))
                for key, value in zip(keys, row, strict=True)
            ]
            where = sql.SQL(" AND ").join(conditions).as_string(self.conn)
            sides.append((text.format(t=table.spelled(self.conn), where=where),))
        return BenchmarkQuery(name, about, sides[0], sides[1], "catalog", where=was.name)

    def _update(self, was: BenchmarkTable, now: BenchmarkTable) -> BenchmarkQuery | None:
        """Some rows set to what they are."""
        keys = next((one.keys for one in self.before.indexes_of(was.oid) if one.primary), ())
        free = [
            number
            for number in was.columns
            if number not in {*was.fixed, *now.fixed, *keys} and number in now.columns
        ]
        if not keys or not free or not set(keys) <= now.columns.keys():
            return None
        sides = []
        for table in (was, now):
            text = sql.SQL(
                "UPDATE {t} SET {c} = {c}"
                " WHERE ({k}) IN (SELECT {k} FROM {t} ORDER BY {k} LIMIT {n})"
            ).format(
                t=sql.Identifier(table.schema, table.relation),
                c=sql.Identifier(table.columns[free[0]]),
                k=sql.SQL(", ").join(sql.Identifier(table.columns[key]) for key in keys),
                n=sql.Literal(UPDATED),
            )
            sides.append((text.as_string(self.conn),))
        about = f"{UPDATED} rows set to what they are"
        return BenchmarkQuery(
            f"update of {was.name}",
            about,
            sides[0],
            sides[1],
            "catalog",
            writes=True,
            where=was.name,
        )


def make_queries(
    conn: Connection, before: BenchmarkCatalog, after: BenchmarkCatalog
) -> tuple[BenchmarkQuery, ...]:
    """The queries of every table of before; `conn` is a session there."""
    maker = _Maker(conn, before, after)
    return tuple(
        query for was, now, word in maker.tables() for query in maker.of_table(was, now, word)
    )


def _with_numbers(now: BenchmarkTable, was: BenchmarkTable) -> BenchmarkTable:
    """A relation that took a table's name, its columns numbered as the table's of these names."""
    numbers = {name: number for number, name in was.columns.items()}
    columns = {numbers[name]: name for name in now.columns.values() if name in numbers}
    return BenchmarkTable(now.oid, now.schema, now.relation, now.kind, now.pages, columns)
