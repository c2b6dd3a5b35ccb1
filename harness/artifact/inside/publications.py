"""Publications and subscriptions: they follow the table, not its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import psycopg
from psycopg import sql

from harness.artifact.inside.model import Connection, DatabasePair, InsideArtifact
from harness.artifact.inside.trial import taken_back
from harness.database.catalog import OUR_SCHEMAS

_MEMBERS: Final = """
select p.pubname::text, n.nspname::text, c.relname::text,
       array(select a.attname::text from pg_catalog.pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               and (t.attrs is null or a.attnum = any (t.attrs)) order by a.attnum)
from pg_catalog.pg_publication p
cross join lateral pg_catalog.pg_get_publication_tables(p.pubname::text) t
join pg_catalog.pg_class c on c.oid = t.relid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname <> all (%(ours)s)
"""
_NAMES: Final = """
select p.pubname::text, p.pubname::text from pg_catalog.pg_publication p
"""
_SUBSCRIPTIONS: Final = """
select s.subname::text, array_to_string(s.subpublications, ', ')
from pg_catalog.pg_subscription s
where s.subdbid = (select oid from pg_catalog.pg_database where datname = current_database())
"""
STATEMENT: Final = "select * from pg_publication_tables where pubname = {}"

Members = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By publication the tables, each with its columns."""


def find_publications(pair: DatabasePair) -> Iterator[InsideArtifact]:
    """Every publication before: what its subscribers stop to hear, and what else they hear."""
    first, second = read_members(pair.before), read_members(pair.after)
    for name in sorted(first):
        yield _judge_publication(pair, name, first[name], second.get(name))


def read_members(conn: Connection) -> Members:
    """The tables of every publication, and the columns that they publish."""
    found: dict[str, dict[str, tuple[str, ...]]] = {
        name: {} for name, _ in conn.execute(_NAMES).fetchall()
    }
    told = {"ours": list(OUR_SCHEMAS)}
    for name, schema, relation, columns in conn.execute(_MEMBERS.encode(), told).fetchall():
        found[name][f"{schema}.{relation}"] = tuple(columns)
    return found


def _judge_publication(
    pair: DatabasePair,
    name: str,
    first: Mapping[str, tuple[str, ...]],
    second: Mapping[str, tuple[str, ...]] | None,
) -> InsideArtifact:
    statement = STATEMENT.format(sql.Literal(name).as_string(pair.before))
    if second is None:
        reason = "the migration drops it"
        return InsideArtifact("publication", name, "silent", reason, statement)
    gone = sorted(first.keys() - second.keys())
    lost = {one: [c for c in first[one] if c not in second[one]] for one in first.keys() & second}
    lost = {one: columns for one, columns in lost.items() if columns}
    evidence = (
        f"before: {_listed(first)}",
        f"after: {_listed(second)}",
        *(_refused(pair.after, name, one) for one in gone),
    )
    if gone:
        reason = f"it no longer publishes {', '.join(gone)}: who asked for that name hears nothing"
    elif lost:
        table, columns = sorted(lost.items())[0]
        reason = f"of {table} it no longer publishes {', '.join(columns)}"
    else:
        return InsideArtifact("publication", name, "same", statement=statement)
    return InsideArtifact(
        "publication", name, "silent", reason, statement, evidence=evidence,
        hint="tell the subscribers the new names for that window; a view cannot be published",
    )  # fmt: skip


def _listed(members: Mapping[str, tuple[str, ...]]) -> str:
    return ", ".join(
        f"{name} ({len(columns)} columns)" for name, columns in sorted(members.items())
    )


def _refused(conn: Connection, publication: str, relation: str) -> str:
    """What the server says to publishing the old name."""
    statement = sql.SQL("alter publication {} add table {}").format(
        sql.Identifier(publication), sql.Identifier(*relation.split(".", 1))
    )
    text = statement.as_string(conn)
    try:
        with taken_back(conn, 10.0):
            conn.execute(statement)
    except psycopg.Error as error:
        said = " ".join(filter(None, (error.diag.message_primary, error.diag.message_detail)))
        return f"{text}: {said} ({error.sqlstate})"
    return f"{text}: it could be published"


def find_subscriptions(pair: DatabasePair) -> Iterator[InsideArtifact]:
    """Subscriptions of the database: rows are applied to the tables of the publisher's names."""
    away = sorted(
        str(one.old.name)
        for one in pair.renames.changes.values()
        if one.old.kind in ("r", "p") and (one.new is None or one.new.name != one.old.name)
    )
    for name, publications in pair.before.execute(_SUBSCRIPTIONS).fetchall():
        statement = f"alter subscription {name} refresh publication"
        if not away:
            yield InsideArtifact("subscription", name, "same", statement=statement)
            continue
        yield InsideArtifact(
            "subscription", name, "silent",
            f"it takes {publications} and applies rows by the publisher's names, of which"
            f" {', '.join(away)} are no tables any more",
            statement,
            hint="rename on the publisher in the same window, or disable the subscription for it",
        )  # fmt: skip
