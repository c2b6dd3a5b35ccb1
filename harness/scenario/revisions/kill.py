"""Kill a revision between what it commits, run it again as its tool would, and compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from pglast import ast
from psycopg import sql

from harness.core.poll import wait_until
from harness.database import admin
from harness.scenario.revisions.apply import Sender, open_session, send
from harness.scenario.revisions.check_server import CheckServer
from harness.scenario.revisions.classes import HARMLESS
from harness.scenario.revisions.statements import (
    ForeignStatement,
    UnparsedError,
    commit_units,
    needs_psql,
    split,
)
from harness.scenario.revisions.states import DatabaseState, read_state, unlike
from harness.subject.adapter.model import ForeignRevision

_INVALID: Final = """
SELECT count(*) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_stat_activity a
  ON a.pid = %s AND a.wait_event_type = 'Lock'
WHERE NOT i.indisvalid
"""
_PATIENCE: Final = 60.0


@dataclass(frozen=True)
class Kill:
    """Where a revision was killed, and what the same command came to afterwards.

    `end` is same, stuck or other; `said` what the tool then says, or how the database differs.
    """

    after: str
    line: int
    end: str
    said: str = ""


@dataclass(frozen=True)
class KillBasis:
    """What kills begin from: the database before, who sends, what should come of it."""

    server: CheckServer
    sender: Sender
    before: str
    golden: DatabaseState
    unshared: Mapping[str, frozenset[str]]
    without: Sequence[str]


def is_atomic(revision: ForeignRevision, sender: Sender) -> bool:
    """Whether the revision and its row are one transaction, so that a kill undoes both."""
    script = revision.up
    return script.transaction and script.recording == "with" and not sender.account.begin


def kill_everywhere(at: KillBasis, revision: ForeignRevision) -> tuple[list[Kill], str]:
    """Every kill of a revision that is not atomic; and why there is none, where there is none."""
    if needs_psql(revision.up.text):
        return [], "it has commands of psql, so it was not taken apart"
    try:
        units = commit_units(revision.up, split(revision.up))
    except UnparsedError as error:
        return [], f"line {error.line}: {error}"
    found = [_kill(at, revision, units[:count]) for count in range(1, len(units) + 1)]
    found += list(_half_built(at, revision, units))
    return found, ""


def _kill(at: KillBasis, revision: ForeignRevision, done: list[list[ForeignStatement]]) -> Kill:
    last = done[-1][-1]
    with at.server.clone(at.before) as name:
        dsn = at.server.dsn(name)
        with _sessions(dsn) as conn:
            _begin_account(conn, at, revision)
            _run_units(conn, revision, done)
        return _again(at, revision, name, _words(last), last.line)


def _half_built(
    at: KillBasis, revision: ForeignRevision, units: list[list[ForeignStatement]]
) -> Iterator[Kill]:
    """A concurrent index whose build is ended in the middle: it stays, and is invalid."""
    for place, unit in enumerate(units):
        node = unit[0].node
        if not isinstance(node, ast.IndexStmt) or not node.concurrent:
            continue
        with at.server.clone(at.before) as name:
            dsn = at.server.dsn(name)
            with _sessions(dsn) as conn:
                _begin_account(conn, at, revision)
                _run_units(conn, revision, units[:place])
                _break_build(at.server, name, conn, unit[0], node)
            yield _again(at, revision, name, f"the middle of {_words(unit[0])}", unit[0].line)


def _break_build(
    server: CheckServer,
    name: str,
    conn: psycopg.Connection[Any],
    one: ForeignStatement,
    node: ast.IndexStmt,
) -> None:
    """Keep the build waiting for a writer, and end it there."""
    assert node.relation is not None, "an index has its table"
    table = sql.Identifier(*filter(None, [node.relation.schemaname, node.relation.relname]))
    pid = conn.info.backend_pid
    with _sessions(server.dsn(name)) as writer, admin.connection(server.all_seeing(name)) as seeing:
        writer.execute("begin")
        writer.execute(sql.SQL("lock table {} in row exclusive mode").format(table))
        conn.pgconn.send_query(one.text.encode())

        def is_waiting() -> bool:
            row: Any = seeing.execute(_INVALID, [pid]).fetchone()
            return bool(row[0])

        wait_until(is_waiting, _PATIENCE, "the build of an index to wait for a writer")
        seeing.execute("select pg_catalog.pg_terminate_backend(%s, 30000)", [pid])
        writer.execute("rollback")


def _again(at: KillBasis, revision: ForeignRevision, name: str, after: str, line: int) -> Kill:
    blocked = at.sender.account.blocked
    if blocked:
        values = {key: str(value) for key, value in revision.values.items()}
        return Kill(after, line, "stuck", blocked.format_map(values))
    applied = at.sender.up(at.server.dsn(name), revision)
    if applied.error is not None:
        return Kill(after, line, "stuck", str(applied.error))
    state = read_state(at.server.all_seeing(name), at.without)
    differs = unlike(at.golden, state, at.unshared)
    if set(differs.classes) - HARMLESS:
        return Kill(after, line, "other", differs.listed)
    return Kill(after, line, "same")


def _sessions(dsn: str) -> closing[psycopg.Connection[Any]]:
    return closing(open_session(dsn))


def _begin_account(conn: psycopg.Connection[Any], at: KillBasis, revision: ForeignRevision) -> None:
    if at.sender.account.begin:
        conn.execute(at.sender.account.begin.encode(), revision.values)


def _run_units(
    conn: psycopg.Connection[Any],
    revision: ForeignRevision,
    units: Sequence[Sequence[ForeignStatement]],
) -> None:
    for unit in units:
        # what stands in one query commits at once, whether it says so or not
        text = ";\n".join(one.text.rstrip("; \n") for one in unit)
        send(conn, revision.up, text, unit[0].line)


def _words(one: ForeignStatement) -> str:
    text = " ".join(one.text.split())
    return text if len(text) <= 60 else f"{text[:60]}…"
