"""Views: those of somebody's own follow the table, and may read what is only kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from psycopg import sql

from harness.artifact.inside.follow_table import judge_following, names_changed
from harness.artifact.inside.model import USERS, Connection, DatabasePair, InsideArtifact
from harness.artifact.inside.trial import try_both
from harness.artifact.schema import SeenRelation
from harness.database.catalog import OUR_SCHEMAS

_VIEWS: Final = f"""
select c.oid::int8, (select min(r.oid::int8) from pg_catalog.pg_rewrite r where r.ev_class = c.oid),
       pg_catalog.pg_get_viewdef(c.oid)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where {USERS} and c.relkind in ('v', 'm')
order by n.nspname, c.relname
"""  # noqa: S608 - constants
HINT: Final = "make it anew on what is meant, in the same window as the migration"


def find_views(pair: DatabasePair) -> Iterator[InsideArtifact]:
    """Every view before that depends on what changes: read by its old name on both databases."""
    first, second = _read_views(pair.before), _read_views(pair.after)
    relations = {one.oid: one for one in pair.renames.before.relations.values()}
    for oid, (rule, definition) in first.items():
        one = relations.get(oid)
        if one is None or not names_changed(pair, definition):
            continue
        read = _reading(one).as_string(pair.before)
        found = try_both(pair, read)[2]
        if found.outcome == "same" and oid in second:
            texts = (definition, second[oid][1])
            found = judge_following(pair, "pg_rewrite", rule, texts, read)
        yield InsideArtifact(
            "view", str(one.name), found.outcome, found.reason, read, found.sqlstate,
            found.evidence, HINT if found.outcome != "same" else "",
        )  # fmt: skip


def _read_views(conn: Connection) -> dict[int, tuple[int, str]]:
    found = conn.execute(_VIEWS.encode(), {"ours": list(OUR_SCHEMAS)}).fetchall()
    return {oid: (rule, definition) for oid, rule, definition in found}


def _reading(view: SeenRelation) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, view.columns))
    return sql.SQL("select {} from {}").format(columns, sql.Identifier(*view.name))
