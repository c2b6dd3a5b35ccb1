"""The contract: recorded before the migration, replayed after it, through any client, as any role.

Reads are compared row for row, writes by what they answer and by what they leave in the relations
of the old schema. What differs is a finding, unless its file says that it is known to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.check.contract import file as contract_file
from harness.check.contract.file import ContractQuery
from harness.check.contract.providers import PROVIDERS
from harness.check.contract.session import (
    SETTINGS,
    Answer,
    AskFailedError,
    ClientSession,
    Mode,
    Provider,
)
from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.core.sqlstate import INVALID_SCHEMA_NAME, SYNTAX_ERROR, UNDEFINED_NAME
from harness.database import admin
from harness.database.catalog import USER_RELATIONS

SHOWN: Final = 5
UNKNOWN: Final = UNDEFINED_NAME | {INVALID_SCHEMA_NAME, SYNTAX_ERROR}
"""The contract names what the old schema does not have."""
RELATIONS: Final = f"""
select r.name, array_agg(a.attname::text order by a.attnum) as columns
from ({USER_RELATIONS}) r
join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
where r.kind in ('r', 'p')
group by 1 order by 1
"""  # noqa: S608 - a constant

Key = tuple[str, str, str]


@dataclass(frozen=True)
class RelationRows:
    """What is in a relation: its columns, and its rows as texts."""

    columns: tuple[str, ...]
    rows: Counter[tuple[str | None, ...]]


@dataclass(frozen=True)
class Recording:
    """What one client was answered before the migration, and with which parameters it asked."""

    provider: str
    queries: tuple[ContractQuery, ...]
    params: dict[str, dict[str, Any]]
    answers: dict[Key, list[Answer]] = field(default_factory=dict)
    left: dict[str, RelationRows] | None = None
    """Rows of the old relations after the writes; None where nothing was written."""


def record(dsn: str, queries: Sequence[ContractQuery], provider: Provider) -> Recording:
    """Ask every query as each of its roles; writes stay, so they want a database of their own.

    UsageError with file and line when the contract asks for what the old schema does not have.
    """
    with admin.connection(dsn) as conn:
        params = {query.name: _params(conn, query) for query in queries}
    recording = Recording(provider.name, tuple(queries), params)
    with provider.session(dsn) as session:
        for query, role, found in _asked(session, recording):
            last = found[-1]
            if last.sqlstate in UNKNOWN and not query.differs:
                where = query.where(len(found) - 1)
                raise UsageError(f"the old schema cannot answer: {last.message}", where=where)
            recording.answers[query.kind, query.name, role] = found
        if not any(query.kind == "write" for query in queries):
            return recording
        with admin.connection(dsn) as conn:
            relations = {row[0]: tuple(row[1]) for row in conn.execute(RELATIONS.encode())}
            return replace(recording, left=dict(_left(conn, relations, session)))


def replay(dsn: str, recording: Recording, provider: Provider) -> list[Finding]:
    """Ask the same again; what is answered or left otherwise than before."""
    found: list[Finding] = []
    with provider.session(dsn) as session:
        for query, role, answers in _asked(session, recording):
            before = recording.answers[query.kind, query.name, role]
            label = f"{query.name} as {role} through {provider.name}"
            found += _judged(query, label, before, answers)
        if recording.left is not None:
            relations = {name: left.columns for name, left in recording.left.items()}
            with admin.connection(dsn) as conn:
                now = dict(_left(conn, relations, session))
            found += _left_differently(recording.left, now, provider.name)
    return found


def reads(before: str, after: str, directory: Path) -> list[Finding]:
    """Every read of a contract on both databases, through every client; nothing is written."""
    queries = contract_file.load(directory, "read")
    if not queries:
        raise UsageError("holds no read", where=str(directory), hint="write read/*.sql")
    return [
        finding
        for provider in PROVIDERS
        for finding in replay(after, record(before, queries, provider), provider)
    ]


def _asked(
    session: ClientSession, recording: Recording
) -> Iterator[tuple[ContractQuery, str, list[Answer]]]:
    for query in recording.queries:
        for role in query.roles:
            yield query, role, _answers(session, query, role, recording.params[query.name])


def _answers(
    session: ClientSession, query: ContractQuery, role: str, params: dict[str, Any]
) -> list[Answer]:
    """The answers of a query's statements in one transaction; an error is the last of them."""
    found: list[Answer] = []
    try:
        with session.acting(query.actor(role), _mode(query)):
            for statement in query.statements:
                found.append(session.ask(statement, params))  # noqa: PERF401 - an error keeps those before it
    except AskFailedError as error:
        found.append(Answer(sqlstate=error.sqlstate, message=str(error)))
    return found


def _mode(query: ContractQuery) -> Mode:
    """What is known to end otherwise must not leave otherwise: it is tried and taken back."""
    if query.kind == "read":
        return "read"
    return "try" if query.differs else "keep"


def _params(conn: psycopg.Connection[Any], query: ContractQuery) -> dict[str, Any]:
    values = {}
    for name, asked in query.params.items():
        try:
            row = conn.execute(asked.encode()).fetchone()
        except psycopg.Error as error:
            said = " ".join(str(error.diag.message_primary or error).split())
            raise UsageError(f"parameter {name!r}: {said}", where=query.where()) from None
        values[name] = row[0] if row else None
    return values


def _judged(
    query: ContractQuery, label: str, before: list[Answer], after: list[Answer]
) -> Iterator[Finding]:
    identity = f"contract.{query.kind}"
    if query.differs:
        if after[-1].sqlstate != query.differs:
            yield Finding(
                "contract.known",
                "critical",
                query.where(),
                f"{label} ends {_end(after)}; known is {query.differs}",
                "correct what the file says of it, and tell those who rely on it",
                f"{query.differs}: {query.because}",
            )
        return
    differences = _differences(before, after)
    if differences:
        rest = len(differences) - SHOWN
        more = [f"and {rest} more"] if rest > 0 else []
        yield Finding(
            identity,
            "critical",
            query.where(),
            f"{label} is answered differently than before: {differences[0]}",
            "correct what old clients are given, or write a header differs: SQLSTATE why",
            "\n".join([*differences[:SHOWN], *more]),
        )


def _differences(before: list[Answer], after: list[Answer]) -> list[str]:
    if [one.sqlstate for one in before] != [one.sqlstate for one in after]:
        return [f"it ends {_end(after)}, before {_end(before)}"]
    found = []
    for number, (old, new) in enumerate(zip(before, after, strict=True), start=1):
        if None not in (old.columns, new.columns) and old.columns != new.columns:
            found.append(f"statement {number}: columns {new.columns}, before {old.columns}")
        if old.count != new.count:
            found.append(f"statement {number}: {new.count} rows, before {old.count}")
        found += [
            f"statement {number}: row {place} is {_brief(have)}, before {_brief(want)}"
            for place, (want, have) in enumerate(zip(old.rows, new.rows, strict=False))
            if want != have
        ]
    return found


def _end(answers: list[Answer]) -> str:
    last = answers[-1]
    return f"with {last.sqlstate} ({last.message})" if last.sqlstate else "well"


def _brief(row: tuple[str | None, ...]) -> str:
    text = repr(row)
    return text if len(text) <= 300 else f"{text[:297]}..."


def _left(
    conn: psycopg.Connection[Any], relations: dict[str, tuple[str, ...]], session: ClientSession
) -> Iterator[tuple[str, RelationRows]]:
    """Every row of the old relations, under their old names, with this client's times masked."""
    for name, value in SETTINGS.items():
        conn.execute("select pg_catalog.set_config(%s, %s, false)", [name, value])
    for name, columns in relations.items():
        fields = sql.SQL(", ").join(map(sql.Identifier, columns))
        query = sql.SQL("select {} from {}").format(fields, sql.SQL(name))
        try:
            rows = conn.execute(query).fetchall()
        except psycopg.Error as error:
            said = " ".join(str(error.diag.message_primary or error).split())
            rows = [(f"cannot be read: {said}",)]
        yield name, RelationRows(columns, Counter(session.seen(row) for row in rows))


def _left_differently(
    before: dict[str, RelationRows], after: dict[str, RelationRows], provider: str
) -> Iterator[Finding]:
    for name, old in before.items():
        missing, unexpected = old.rows - after[name].rows, after[name].rows - old.rows
        if missing or unexpected:
            lines = [f"missing: {_brief(row)}" for row in missing]
            lines += [f"unexpected: {_brief(row)}" for row in unexpected]
            yield Finding(
                "contract.effect",
                "critical",
                name,
                f"the writes leave {name} otherwise than before, through {provider}:"
                f" {missing.total()} rows missing, {unexpected.total()} unexpected",
                "compare the triggers of the compatibility surface with the contract's writes",
                "\n".join(lines[: 2 * SHOWN]),
            )
