"""A text of SQL that is run by name, such as a job's: each statement tried on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.artifact.inside.model import Connection, DatabasePair
from harness.artifact.inside.trial import Comparison, StatementTrial, compare_trials, try_both
from harness.artifact.proof.statements import split
from harness.artifact.sql.nodes import Node, UnparsedSQL, opened, parse
from harness.core.sqlstate import CONNECTION_FAILURE, SYNTAX_ERROR

PLAIN: Final = frozenset(
    {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "TruncateStmt",
     "RefreshMatViewStmt", "LockStmt"}
)  # fmt: skip
WORST: Final = ("same", "unknown", "differs", "silent", "cannot")


def judge_text(pair: DatabasePair, text: str) -> tuple[str, Comparison]:
    """The statement of a text with which it goes worst, and what came of it."""
    try:
        statements = split(text)
    except UnparsedSQL as error:
        return text, Comparison("unknown", f"it does not parse: {error.reason}", SYNTAX_ERROR)
    judged = [(one.strip(), judge_statement(pair, one.strip())) for one in statements]
    if not judged:
        return text, Comparison("unknown", "there is no statement in it")
    return max(judged, key=lambda one: WORST.index(one[1].outcome))


def judge_statement(pair: DatabasePair, text: str) -> Comparison:
    """One statement, tried on both databases in the way in which it can be taken back."""
    kind, fields = opened(parse(text)[0])
    if kind in PLAIN:
        return try_both(pair, text)[2]
    if kind == "VacuumStmt":
        return _judge_vacuum(pair, fields)
    if kind == "CopyStmt" and fields.get("relation") and not fields.get("is_from"):
        return _judge_copy(pair, fields["relation"])
    if kind in ("ReindexStmt", "ClusterStmt"):
        return _judge_names(pair, _relations(fields))
    return Comparison("unknown", f"a {kind.removesuffix('Stmt').upper()} is not tried")


def _judge_vacuum(pair: DatabasePair, fields: Node) -> Comparison:
    """VACUUM and ANALYZE: both pass over a view with a warning, and a scheduler sees success."""
    names = list(_relations(fields))
    if not names:
        return Comparison("same")
    worst = Comparison("same")
    for name in names:
        found = try_both(pair, f"analyze {name.as_string(pair.before)}")[2]
        worst = max(worst, found, key=lambda one: WORST.index(one.outcome))
    return worst


def _judge_copy(pair: DatabasePair, relation: Node) -> Comparison:
    """COPY of a relation, to us instead of to where it goes."""
    name = _name(relation)
    first, second = (_copied(conn, name) for conn in (pair.before, pair.after))
    return compare_trials(first, second)


def _copied(conn: Connection, name: sql.Composable) -> StatementTrial:
    try:
        with conn.transaction(force_rollback=True), conn.cursor() as cursor:
            with cursor.copy(sql.SQL("copy {} to stdout").format(name)) as copy:
                rows = sum(1 for _ in copy.rows())
            return StatementTrial(rows)
    except psycopg.Error as error:
        return StatementTrial(
            sqlstate=error.sqlstate or CONNECTION_FAILURE, message=error.diag.message_primary or ""
        )


def _judge_names(pair: DatabasePair, names: Iterator[sql.Composable]) -> Comparison:
    """A statement that can not be taken back: whether its relations are still tables."""
    worst = Comparison("same")
    for name in names:
        text = sql.SQL("lock table only {} in access share mode").format(name)
        found = try_both(pair, text.as_string(pair.before))[2]
        worst = max(worst, found, key=lambda one: WORST.index(one.outcome))
    return worst


def _relations(value: Any) -> Iterator[sql.Composable]:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            pending += one
        elif isinstance(one, dict):
            if "relname" in one:
                yield _name(one)
            pending += one.values()


def _name(relation: Node) -> sql.Composable:
    parts = (relation.get("schemaname"), relation["relname"])
    return sql.Identifier(*(part for part in parts if part))
