"""Ask the legacy contract of two databases and say where the answers or their effects differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from fixtures.contract import ContractQuery

from .checks import specification
from .support import Conn, Pair, Row, acting_as, row_differences, scalar, shortened, table_text


@dataclass(frozen=True)
class Answer:
    """What a statement gave: columns with their types, rows, how many; or the error's SQLSTATE."""

    columns: tuple[tuple[str, int], ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    count: int = -1
    sqlstate: str | None = None


@dataclass
class Session:
    """One database and the moments at which transactions of this session began."""

    conn: Conn
    moments: dict[object, str] = field(default_factory=dict)

    def run(self, query: ContractQuery, role: str, params: Row) -> list[Answer]:
        """Run the statements of a query in one transaction; an error ends and undoes it."""
        answers: list[Answer] = []
        with acting_as(self.conn, role):
            try:
                with self.conn.transaction():
                    self._note_the_time()
                    for statement in query.statements:
                        answers.append(self._ask(statement, params))  # noqa: PERF401 - an error keeps those before it
            except psycopg.Error as error:
                answers.append(Answer(sqlstate=error.sqlstate))
        return answers

    def state(self) -> dict[str, dict[Any, Row]]:
        """Every row of the old schema, read by the old names."""
        return {
            name: {
                key: {column: self._masked(text) for column, text in row.items()}
                for key, row in table_text(self.conn, name, specification.old_columns(name)).items()
            }
            for name in specification.baseline()["tables"]
        }

    def _ask(self, statement: str, params: Row) -> Answer:
        with self.conn.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(statement, params)
            if cursor.description is None:
                return Answer(count=cursor.rowcount)
            columns = tuple((c.name, c.type_code) for c in cursor.description)
            found = [tuple(map(self._masked, row)) for row in cursor.fetchall()]
            if not statement.lower().startswith("select"):
                found.sort(key=repr)  # the order of RETURNING is nobody's promise
            return Answer(columns, tuple(found), cursor.rowcount)

    def _note_the_time(self) -> None:
        """A transaction's own time is another on every run: it is said as whose time it is."""
        now = self.conn.execute("select now(), now()::text").fetchall()[0]
        self.moments |= dict.fromkeys(now, f"now {len(self.moments) // 2}")

    def _masked(self, value: Any) -> Any:
        return self.moments.get(value, value) if isinstance(value, datetime | str) else value


def parameters(pair: Pair, query: ContractQuery) -> Row:
    """The values of a query's parameters, as found before the migration."""
    return {name: scalar(pair.source, asked) for name, asked in query.params.items()}


def read_differences(pair: Pair, query: ContractQuery, role: str) -> list[str]:
    """Where a read is answered differently than before the migration."""
    params = parameters(pair, query)
    before = Session(pair.source).run(query, role, params)
    after = Session(pair.target).run(query, role, params)
    if any(answer.sqlstate for answer in before):
        return [f"{query.name} as {role} failed before the migration: {before[-1].sqlstate}"]
    return _differences(f"{query.name} as {role}", before, after)


def write_differences(
    pair: Pair, queries: tuple[ContractQuery, ...], role: str = "authenticated"
) -> list[str]:
    """Where writes, one transaction each, answer or leave rows otherwise than before."""
    before, after = Session(pair.source), Session(pair.target)
    found = []
    for query in queries:
        params = parameters(pair, query)
        answers = before.run(query, role, params), after.run(query, role, params)
        found += _differences(f"{query.name} as {role}", *answers)
    old, new = before.state(), after.state()
    for name in old:
        found += row_differences(name, old[name], new[name])
    return found


def _differences(label: str, before: list[Answer], after: list[Answer]) -> list[str]:
    if [a.sqlstate for a in before] != [a.sqlstate for a in after]:
        return [f"{label}: ended {_end(after)}, before {_end(before)}"]
    found = []
    for number, (old, new) in enumerate(zip(before, after, strict=True), start=1):
        where = f"{label}, statement {number}"
        if old.columns != new.columns:
            found.append(f"{where}: columns {new.columns}, before {old.columns}")
        if old.count != new.count:
            found.append(f"{where}: {new.count} rows, before {old.count}")
        pairs = zip(old.rows, new.rows, strict=False)
        found += [
            f"{where}: row {place} is {have}, before {want}"
            for place, (want, have) in enumerate(pairs)
            if want != have
        ]
    return shortened(found)


def _end(answers: list[Answer]) -> str:
    return f"with {answers[-1].sqlstate}" if answers[-1].sqlstate else "well"
