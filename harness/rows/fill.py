"""Fill the tables of a database with rows made from its catalog."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import psycopg
from psycopg import errors

from harness.core.errors import InfrastructureError, Refused, UsageError
from harness.database import admin, limits
from harness.rows.catalog import read_schema
from harness.rows.check_hints import guide_domains
from harness.rows.deferred_keys import set_later
from harness.rows.expression_column import first_line
from harness.rows.layout import FillContext, Planner
from harness.rows.model import ForeignKey, Schema, Table, quote
from harness.rows.order import Circle, order_tables
from harness.rows.overrides import Overrides, TableOverride, check_overrides
from harness.rows.pool import CannotFill
from harness.rows.probe import Probe
from harness.rows.profile import choose_profile
from harness.rows.write import Written, copy_rows, is_about_rows, offer_rows
from harness.server.session import session

MOST: Final = 100_000_000
_OWN_ROWS: Final = 1000
_NOTHING: Final = TableOverride(where="")
_SETTINGS: Final = {
    "datestyle": "ISO, YMD", "intervalstyle": "postgres", "timezone": "UTC",
    "extra_float_digits": "1", "bytea_output": "hex", "xmloption": "content",
    "lock_timeout": "10s", "row_security": "on", "session_replication_role": None,
}  # fmt: skip

Progress = Callable[[str, int, int], None]
Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Unfilled:
    """A table that got no rows: the constraint that is in the way, and why."""

    table: str
    constraint: str
    reason: str


@dataclass(frozen=True)
class Limited:
    """A table that has room for fewer rows than were asked for, by this constraint."""

    table: str
    constraint: str
    rows: int
    wanted: int


@dataclass(frozen=True)
class Filled:
    """What was done: the rows of all tables, and by table.

    A table has as many rows as were asked for or as its constraints leave room for, or none.
    """

    rows: int
    seconds: float
    tables: Mapping[str, int]
    unfilled: tuple[Unfilled, ...] = ()
    limited: tuple[Limited, ...] = ()
    notes: tuple[str, ...] = ()


class PartlyFilled(Refused):
    """Some table could not be filled; `filled` is what was done."""

    def __init__(self, filled: Filled) -> None:
        listed = "; ".join(
            f"{table.table} cannot be filled: {table.constraint}: {table.reason}"
            for table in filled.unfilled
        )
        hint = "say how in the project file, under rows.tables, or count = 0 to leave it empty"
        super().__init__(listed, hint=hint)
        self.filled = filled


def fill_schema(
    dsn: str,
    *,
    rows: int = 10_000,
    seed: int = 1,
    profile: str = "real",
    overrides: Overrides | None = None,
    without: Collection[str] = (),
    progress: Progress | None = None,
    fresh: bool = False,
) -> Filled:
    """Give every table `rows` more rows, in one transaction. Same arguments, same rows.

    `overrides` say otherwise of a table or a column; `without` names schemas and tables
    (schema.table) that are left alone. `progress(table, done, total)` is called after each block.
    With `fresh` a table may not have more than a thousand rows before.
    Raises UsageError for an override that does not fit the database, Refused where the tables are
    in use or may not be written; then nothing has changed.
    """
    chosen = choose_profile(profile)
    if not 0 < rows <= MOST:
        raise UsageError(f"cannot make {rows} rows", hint=f"choose 1 to {MOST}")
    begin = time.monotonic()
    with _connection(dsn) as conn, _readable_errors(), conn.transaction():
        schema = _prepare(conn, without)
        check_overrides(overrides or {}, schema)
        if conn.info.parameter_status("server_encoding") not in ("UTF8", "SQL_ASCII"):
            chosen = replace(chosen, foreign=0.0)  # such names cannot be written there
        if fresh:
            _refuse_used(conn, schema)
        probe = Probe(conn, schema)
        context = FillContext(probe, schema, guide_domains(schema, probe), chosen, seed)
        filling = _Filling(conn, context, rows, overrides or {}, progress or _silent)
        filling.fill_all()
        return filling.filled(time.monotonic() - begin)


def _silent(_table: str, _done: int, _total: int) -> None:
    """Nobody wants to know."""


@contextmanager
def _connection(dsn: str) -> Iterator[Connection]:
    conn = session(dsn, client_encoding="utf8", application_name="harness rows")
    try:
        conn.execute("SET default_transaction_read_only = off")
        yield conn
    finally:
        conn.close()


@contextmanager
def _readable_errors() -> Iterator[None]:
    hint = "no rows were made"
    try:
        yield
    except errors.LockNotAvailable:
        raise Refused("the tables are in use", hint=f"{hint}; end the other sessions") from None
    except errors.InsufficientPrivilege as error:
        raise Refused(first_line(error), hint=f"{hint}; connect as the tables' owner") from None
    except psycopg.OperationalError as error:
        raise InfrastructureError(f"broke off: {first_line(error)}", hint=hint) from None


def _prepare(conn: Connection, without: Collection[str]) -> Schema:
    """The schema, read with an empty search_path; functions then run with the session's own."""
    admin.refuse_standby(conn)
    limits.take_off(conn)
    for name, value in _SETTINGS.items():
        if value is not None:
            conn.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
    row = conn.execute("SELECT pg_catalog.current_setting('search_path')").fetchone()
    conn.execute("SET LOCAL search_path = ''")
    schema = read_schema(conn, without)
    conn.execute("SELECT pg_catalog.set_config('search_path', %s, true)", (row[0] if row else "",))
    return schema


def _refuse_used(conn: Connection, schema: Schema) -> None:
    """A baseline may bring some rows of its own; a database at work has many."""
    for table in schema.tables:
        row = conn.execute(
            f"SELECT FROM {table.only} OFFSET {_OWN_ROWS} LIMIT 1".encode()
        ).fetchone()
        if row is not None:
            raise Refused(
                f"{table.label} already has rows, more than {_OWN_ROWS}",
                hint="seed a database that was just made: createdb, then harness baseline",
            )


@dataclass
class _Filling:
    conn: Connection
    context: FillContext
    rows: int
    overrides: Overrides
    progress: Progress
    counts: dict[str, int] = field(default_factory=dict)
    unfilled: list[Unfilled] = field(default_factory=list)
    limited: list[Limited] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    done: int = 0

    def filled(self, seconds: float) -> Filled:
        order = {table.label: place for place, table in enumerate(self.context.schema.tables)}
        tables = dict(sorted(self.counts.items(), key=lambda item: order[item[0]]))
        return Filled(
            rows=sum(tables.values()),
            seconds=seconds,
            tables=tables,
            unfilled=tuple(self.unfilled),
            limited=tuple(self.limited),
            notes=tuple(self.notes),
        )

    def fill_all(self) -> None:
        row = self.conn.execute("SELECT pg_catalog.pg_current_xact_id()::xid::text").fetchone()
        assert row is not None
        self.xid = row[0]
        tables = self.context.schema.tables
        self.before = {table.oid: self._count(table) for table in tables}
        self.total = sum(self._wanted(table) for table in tables)
        for circle in order_tables(self.context.schema):
            self._fill_circle(circle)
        self._set_sequences()
        self._analyze()

    def _wanted(self, table: Table) -> int:
        said = self.overrides.get(table.label, _NOTHING).count
        return self.rows if said is None else said

    def _count(self, table: Table) -> int:
        row = self.conn.execute(f"SELECT count(*) FROM {table.only}".encode()).fetchone()
        return int(row[0]) if row else 0

    def _fill_circle(self, circle: Circle) -> None:
        kept = (dict(self.counts), list(self.limited), self.done)
        table = circle.tables[0]
        try:
            with self.conn.transaction():
                late: list[tuple[Table, ForeignKey]] = []
                for table in circle.tables:
                    late += self._fill_table(table, circle.later.get(table.oid, ()))
                for table, key in late:
                    set_later(self.conn, self.context.schema, table, key, self.xid)
                self.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except CannotFill as reason:
            self._give_up(circle, table, kept, reason.constraint, reason.reason)
        except psycopg.Error as error:
            if not is_about_rows(error) or isinstance(error, errors.LockNotAvailable):
                raise
            name = error.diag.constraint_name or error.sqlstate or ""
            self._give_up(circle, table, kept, name, first_line(error))

    def _give_up(
        self, circle: Circle, failed: Table, kept: tuple[Any, Any, int], constraint: str, why: str
    ) -> None:
        self.counts, self.limited, self.done = kept
        self.unfilled.append(Unfilled(failed.label, constraint, why))
        for table in circle.tables:
            self.counts[table.label] = 0
            if table is not failed:
                reason = f"it and {failed.label}, which cannot be filled, refer to each other"
                self.unfilled.append(Unfilled(table.label, constraint, reason))

    def _fill_table(
        self, table: Table, later: tuple[ForeignKey, ...]
    ) -> list[tuple[Table, ForeignKey]]:
        present = self._count(table)
        made = present - self.before[table.oid]  # by triggers of other tables
        wanted = self._wanted(table)
        missing = max(wanted - made, 0)
        self._note(table, made)
        self.counts[table.label] = made
        if not missing:
            return []
        said = self.overrides.get(table.label, _NOTHING)
        names = frozenset(key.name for key in later)
        planner = Planner(self.context, table, missing, present, said, names)
        if any(key.deferrable for key in later):
            self._defer(table, later)
        written, late = self._write(table, planner)
        self.counts[table.label] = made + written.rows
        if written.rows < missing:
            limit = written.limit or ", ".join(table.triggers) or table.label
            self.limited.append(Limited(table.label, limit, made + written.rows, wanted))
        return [(table, key) for key in (*later, *late)]

    def _write(self, table: Table, planner: Planner) -> tuple[Written, tuple[ForeignKey, ...]]:
        def told(count: int) -> None:
            self.done += count
            self.progress(table.label, self.done, self.total)

        layout = planner.plan()
        if not layout.count:
            raise CannotFill(layout.limit or "", "it leaves room for no row")
        if not layout.server and not table.row_security:
            done = self.done
            try:
                return copy_rows(self.conn, table, layout, told), layout.later
            except psycopg.Error as error:
                if not is_about_rows(error) or not layout.columns:
                    raise
                self.done = done
                layout = planner.plan()
        return offer_rows(self.conn, table, layout, told), layout.later

    def _defer(self, table: Table, keys: tuple[ForeignKey, ...]) -> None:
        names = ", ".join(
            f"{quote(table.schema)}.{quote(key.name)}" for key in keys if key.deferrable
        )
        self.conn.execute(f"SET CONSTRAINTS {names} DEFERRED".encode())

    def _note(self, table: Table, made: int) -> None:
        if table.triggers:
            listed = ", ".join(table.triggers)
            self.notes.append(f"triggers of {table.label} ran for its rows: {listed}")
        if made:
            self.notes.append(f"{made} rows of {table.label} were made by triggers of other tables")
        if table.row_security:
            self.notes.append(f"row-level security of {table.label} held for its rows")

    def _set_sequences(self) -> None:
        """Leave each sequence where inserts would have left it."""
        for table in self.context.schema.tables:
            for column in table.columns:
                if column.sequence and self.counts.get(table.label):
                    self._set_sequence(table, column.name, column.sequence.oid,
                                       column.sequence.increment)  # fmt: skip

    def _set_sequence(self, table: Table, name: str, sequence: int, increment: int) -> None:
        edge, further = ("max", "greatest") if increment > 0 else ("min", "least")
        try:
            with self.conn.transaction():
                self.conn.execute(
                    f"SELECT pg_catalog.setval(s.id, {further}(s.edge, CASE WHEN q.is_called"
                    f" THEN q.last_value END)) FROM (SELECT {sequence}::oid::regclass AS id,"
                    f" {edge}({quote(name)})::bigint AS edge FROM {table.quoted}) s,"
                    f" LATERAL (SELECT v.last_value, v.is_called FROM {self._name(sequence)} v) q"
                    " WHERE s.edge IS NOT NULL".encode()
                )
        except psycopg.Error as error:
            if not is_about_rows(error):
                raise
            self.notes.append(f"the sequence of {table.label}.{name} stays: {first_line(error)}")

    def _name(self, oid: int) -> str:
        row = self.conn.execute(
            "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)"
            " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.oid = %s::int8::oid",
            (oid,),
        ).fetchone()
        assert row is not None
        return str(row[0])

    def _analyze(self) -> None:
        names = [t.quoted for t in self.context.schema.tables if self.counts.get(t.label)]
        if names:
            self.conn.execute(f"ANALYZE {', '.join(names)}".encode())
