"""Requests to a REST interface over the database that are kept in it: hints and upsert targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from psycopg import sql

from harness.artifact.inside.jobs import read_texts
from harness.artifact.inside.marked import marked_columns
from harness.artifact.inside.model import DatabasePair, InsideArtifact
from harness.artifact.inside.names import foreign_keys_of, upsert_statement
from harness.artifact.inside.trial import Comparison, try_both
from harness.artifact.schema import RelationName

_HINT: Final = re.compile(r"\w+((?:!\w+)+)\s*\(")
JOINS: Final = ("inner", "left")
HINT: Final = "send it in the words after, from the migration on"


def find_requests(pair: DatabasePair) -> Iterator[InsideArtifact]:
    """Every request that a column marked `harness: requests` keeps."""
    for column in marked_columns(pair.before, "requests"):
        for _, text in read_texts(pair.before, column):
            statement, found = judge_request(pair, text)
            yield InsideArtifact(
                "request", text, found.outcome, found.reason, statement, found.sqlstate,
                found.evidence, HINT if found.outcome != "same" else "",
            )  # fmt: skip


def judge_request(pair: DatabasePair, text: str) -> tuple[str, Comparison]:
    """What a request asks for, on both databases: the relation, foreign keys named, the target."""
    parts = urlsplit(text)
    name = parts.path.rstrip("/").rpartition("/")[2]
    relation = pair.renames.before.find(None, name)
    if relation is None:
        return text, Comparison("unknown", f"there is no relation {name!r} before the migration")
    asked = dict(parse_qsl(parts.query))
    read = sql.SQL("select 1 from {} limit 0").format(sql.Identifier(*relation.name))
    statement = read.as_string(pair.before)
    found = try_both(pair, statement)[2]
    if found.outcome == "same" and "on_conflict" in asked:
        columns = tuple(asked["on_conflict"].split(","))
        statement = upsert_statement(relation.name, columns).as_string(pair.before)
        found = try_both(pair, statement)[2]
        found = Comparison("same") if found.outcome == "differs" else found
    for hints in _HINT.findall(asked.get("select", "")):
        for key in hints[1:].split("!"):
            if found.outcome == "same" and key not in JOINS:
                statement, found = _judge_hint(pair, relation.name, key)
    return statement, found


def _judge_hint(pair: DatabasePair, relation: RelationName, key: str) -> tuple[str, Comparison]:
    text = sql.SQL("select conname from pg_constraint where contype = 'f' and conname = {}")
    statement = text.format(key).as_string(pair.before)
    first = foreign_keys_of(pair.before, relation)
    second = foreign_keys_of(pair.after, relation)
    if key not in first:  # a column, or the other table, is a hint too
        return statement, Comparison("same")
    if key in second:
        return statement, Comparison("same")
    new = ", ".join(sorted(second - first)) or "-"
    return statement, Comparison(
        "cannot",
        f"there is no foreign key {key!r} to embed by after the migration",
        evidence=(f"before: {key}", f"after, instead: {new}"),
    )
