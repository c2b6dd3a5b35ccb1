"""Names that requests carry: foreign keys as hints, columns as targets of an upsert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from psycopg import sql

from harness.artifact.inside.model import USERS, Connection, DatabasePair, InsideArtifact
from harness.artifact.inside.trial import try_both
from harness.artifact.schema import RelationName
from harness.database.catalog import OUR_SCHEMAS

_KEYS: Final = f"""
select k.oid::int8, n.nspname::text, c.relname::text, k.conname::text, k.contype::text,
       array(select a.attname::text from unnest(k.conkey) with ordinality as u (number, place)
             join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number
             order by u.place)
from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where {USERS} and k.contype in ('f', 'p', 'u') and k.conparentid = 0
order by 2, 3, 4
"""  # noqa: S608 - constants


def read_keys(conn: Connection) -> list[tuple[int, RelationName, str, str, tuple[str, ...]]]:
    """Keys and foreign keys: oid, relation, name, type, columns."""
    found = conn.execute(_KEYS.encode(), {"ours": list(OUR_SCHEMAS)}).fetchall()
    return [
        (oid, RelationName(schema, relation), name, kind, tuple(columns))
        for oid, schema, relation, name, kind, columns in found
    ]


def find_foreign_keys(pair: DatabasePair) -> Iterator[InsideArtifact]:
    """Foreign keys that are called otherwise or are gone: who names one in a request is refused."""
    after = {oid: name for oid, _, name, _, _ in read_keys(pair.after)}
    for oid, relation, name, kind, _ in read_keys(pair.before):
        if kind != "f" or after.get(oid) == name:
            continue
        new = after.get(oid)
        said = f"is called {new!r} afterwards" if new else "is gone afterwards"
        statement = sql.SQL("select conname from pg_constraint where conname = {}").format(name)
        yield InsideArtifact(
            "foreign key", f"{relation}.{name}", "differs",
            f"it {said}: a request that names it to embed the other table is refused",
            statement.as_string(pair.before),
            evidence=(f"before: {name}", f"after: {new or '-'}"),
            hint="name the column in the request, or the new name from the migration on",
            used=False,
        )  # fmt: skip


def find_upserts(pair: DatabasePair) -> Iterator[InsideArtifact]:
    """Keys that an upsert can name as its target, tried on the relation of the old name."""
    changed = {one.old.name for one in pair.renames.changes.values() if one.changes}
    for _, relation, _, kind, columns in read_keys(pair.before):
        if kind == "f" or relation not in changed:
            continue
        statement = upsert_statement(relation, columns).as_string(pair.before)
        found = try_both(pair, statement)[2]
        if found.outcome == "cannot":
            yield InsideArtifact(
                "upsert", f"{relation} ({', '.join(columns)})", found.outcome, found.reason,
                statement, found.sqlstate,
                hint="insert, and update where that is refused; or name the relation after",
                used=False,
            )  # fmt: skip


def upsert_statement(relation: RelationName, columns: tuple[str, ...]) -> sql.Composed:
    """An upsert as PostgREST sends it, that is planned and not run; it writes no row."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL(
        "explain (costs off) insert into {relation} ({names}) select {names} from {relation}"
        " on conflict ({names}) do update set {first} = excluded.{first}"
    ).format(relation=sql.Identifier(*relation), names=names, first=sql.Identifier(columns[0]))


def foreign_keys_of(conn: Connection, relation: RelationName) -> set[str]:
    """The foreign keys by which a relation, or the tables below a view, can be embedded."""
    rows: Any = conn.execute(_EMBEDDABLE.encode(), [list(relation)]).fetchall()
    return {name for (name,) in rows}


_EMBEDDABLE: Final = """
with recursive below (oid) as (
  select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where array[n.nspname::text, c.relname::text] = %s::text[]
  union
  select d.refobjid from below b
  join pg_catalog.pg_rewrite r on r.ev_class = b.oid
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass
)
select distinct k.conname::text from pg_catalog.pg_constraint k
join below b on b.oid in (k.conrelid, k.confrelid) where k.contype = 'f'
"""
