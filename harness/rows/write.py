"""Write a table's rows: by COPY, or through the server's judgement where only it can judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.rows.check_hints import PARTITION
from harness.rows.layout import Layout
from harness.rows.model import Table, quote
from harness.rows.pool import CannotFill

BLOCK: Final = 1 << 13
_PATIENCE: Final = 12
"""So many times the wanted rows are offered before it is given up."""
_FATAL: Final = ("08", "25", "40", "53", "57", "58", "XX")
"""Classes of errors that have nothing to do with the rows."""

Told = Callable[[int], None]
Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Written:
    """How many rows were written, and the constraint that left room for no more."""

    rows: int
    limit: str | None = None


def is_about_rows(error: psycopg.Error) -> bool:
    """Whether an error says something about the rows, and not about the server."""
    return error.sqlstate is not None and error.sqlstate[:2] not in _FATAL


def copy_rows(conn: Connection, table: Table, layout: Layout, told: Told) -> Written:
    """All of the rows by one COPY. Raises psycopg.Error with the table as it was."""
    names = ", ".join(map(quote, layout.columns))
    with conn.transaction(), conn.cursor() as cursor:
        if not layout.columns:
            cursor.execute(
                f"INSERT INTO {table.quoted} SELECT FROM"
                f" pg_catalog.generate_series(1, {layout.count})".encode()
            )
            return Written(cursor.rowcount)
        with cursor.copy(f"COPY {table.quoted} ({names}) FROM STDIN".encode()) as copy:
            for count, text in blocks(layout, layout.count):
                copy.write(text)
                told(count)
        return Written(cursor.rowcount, layout.limit)


def blocks(layout: Layout, count: int | None) -> Iterator[tuple[int, str]]:
    """COPY text in pieces, with the number of rows in each; without end where `count` is None."""
    done = 0
    while count is None or done < count:
        size = BLOCK if count is None else min(BLOCK, count - done)
        columns = [unit.block(done, size) for unit in layout.units]
        if len(columns) == 1:
            rows = list(columns[0])
        else:
            rows = list(map("\t".join, zip(*columns, strict=False)))
        if not rows:
            return
        yield len(rows), "\n".join(rows) + "\n"
        done += size


def offer_rows(conn: Connection, table: Table, layout: Layout, told: Told) -> Written:
    """Rows one after the other until enough were taken; the server rejects those that do not fit.

    Raises CannotFill when too few are taken for another reason than that they must be distinct.
    """
    with conn.transaction():
        stage = _Stage(conn, table, layout)
        stage.make()
        taken = offered = 0
        for count, text in blocks(layout, None):
            stage.load(text)
            got = stage.insert(layout.count - taken)
            taken, offered = taken + got, offered + count
            told(got)
            if taken >= layout.count or offered > _PATIENCE * layout.count + 2 * BLOCK:
                break
            if not taken and offered >= 2 * BLOCK:
                break
        stage.drop()
        if taken >= layout.count:
            return Written(taken, layout.limit)
        return _too_few(table, layout, taken, stage)


def _too_few(table: Table, layout: Layout, taken: int, stage: _Stage) -> Written:
    names = {PARTITION, *(unique.name for unique in table.uniques)}
    worst = stage.rejected.most_common(1)
    blamed = worst[0][0] if worst else (layout.limit or next(iter(layout.server), table.label))
    if taken and (blamed in names or not worst):
        return Written(taken, blamed)
    said = stage.said.get(blamed, "too few rows are distinct")
    if taken:
        said = f"only {taken} of {layout.count} rows fit: {said}"
    raise CannotFill(blamed, said)


@dataclass
class _Stage:
    """A temporary table of candidates, all of them text."""

    conn: Connection
    table: Table
    layout: Layout

    def __post_init__(self) -> None:
        self.rejected: Counter[str] = Counter()
        self.said: dict[str, str] = {}
        columns = self.layout.columns
        self.names = ", ".join(map(quote, columns))
        self.casts = ", ".join(
            f"s.c{number}::{self.table.column(name).declared}"
            for number, name in enumerate(columns)
        )
        self.fields = ", ".join(f"c{number}" for number in range(len(columns)))
        self.bulk = not any(unique.deferrable for unique in self.table.uniques)

    def make(self) -> None:
        fields = self.fields.replace(",", " text,") + " text"
        self.conn.execute(
            "CREATE TEMPORARY TABLE harness_stage"
            f" (n bigint GENERATED ALWAYS AS IDENTITY, {fields}) ON COMMIT DROP".encode()
        )
        self.conn.execute(
            "CREATE TEMPORARY TABLE harness_rejected (name text, said text) ON COMMIT DROP"
        )

    def drop(self) -> None:
        self.conn.execute("DROP TABLE pg_temp.harness_stage, pg_temp.harness_rejected")

    def load(self, text: str) -> None:
        self.conn.execute("TRUNCATE pg_temp.harness_stage")
        with (
            self.conn.cursor() as cursor,
            cursor.copy(f"COPY pg_temp.harness_stage ({self.fields}) FROM STDIN".encode()) as copy,
        ):
            copy.write(text)

    def insert(self, wanted: int) -> int:
        """Insert candidates until `wanted` were taken; how many were."""
        if self.bulk:
            try:
                with self.conn.transaction():
                    taken = self._insert_all(wanted)
                return taken + (self._insert_each(wanted - taken, wanted) if taken < wanted else 0)
            except psycopg.Error as error:
                if not is_about_rows(error):
                    raise
        return self._insert_each(wanted)

    def _insert_all(self, wanted: int) -> int:
        return self.conn.execute(
            f"INSERT INTO {self.table.quoted} ({self.names}) OVERRIDING SYSTEM VALUE"
            f" SELECT {self.casts} FROM pg_temp.harness_stage s ORDER BY s.n"
            f" LIMIT {wanted} ON CONFLICT DO NOTHING".encode()
        ).rowcount

    def _insert_each(self, wanted: int, skipped: int = 0) -> int:
        body = _EACH.format(
            wanted=wanted, skipped=skipped, target=self.table.quoted,
            names=self.names, casts=self.casts,
            fatal=", ".join(f"'{state}'" for state in _FATAL),
        )  # fmt: skip
        text = sql.Literal(body).as_string(self.conn)
        before = self._taken()
        self.conn.execute(f"DO {text}".encode())
        for name, count, said in self.conn.execute(
            "SELECT name, count(*), min(said) FROM pg_temp.harness_rejected GROUP BY name"
        ).fetchall():
            self.rejected[name] += count
            self.said[name] = said
        self.conn.execute("TRUNCATE pg_temp.harness_rejected")
        return self._taken() - before

    def _taken(self) -> int:
        row = self.conn.execute(
            "SELECT COALESCE(pg_catalog.current_setting('harness.taken', true), '0')"
        ).fetchone()
        return int(row[0] or 0) if row else 0


_EACH: Final = """
DECLARE
  one record; got bigint := 0; made bigint; what text; said text; state text; field text;
BEGIN
  FOR one IN SELECT s.ctid AS place FROM pg_temp.harness_stage s ORDER BY s.n
    OFFSET {skipped} LOOP
    EXIT WHEN got >= {wanted};
    BEGIN
      INSERT INTO {target} ({names}) OVERRIDING SYSTEM VALUE
        SELECT {casts} FROM pg_temp.harness_stage s WHERE s.ctid = one.place;
      GET DIAGNOSTICS made = ROW_COUNT;
      got := got + made;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS what = CONSTRAINT_NAME, said = MESSAGE_TEXT,
        state = RETURNED_SQLSTATE, field = COLUMN_NAME;
      IF pg_catalog.left(state, 2) IN ({fatal}) THEN
        RAISE;
      END IF;
      INSERT INTO pg_temp.harness_rejected
        VALUES (COALESCE(NULLIF(what, ''), NULLIF(field, ''), CASE state
          WHEN '23514' THEN 'partition'
          WHEN '42501' THEN CASE WHEN said LIKE '%row-level security%'
            THEN 'row-level security' ELSE 'privilege' END
          ELSE state END), said);
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('harness.taken', (
    COALESCE(NULLIF(pg_catalog.current_setting('harness.taken', true), ''), '0')::bigint + got
  )::text, true);
END
"""
