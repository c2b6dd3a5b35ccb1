"""Foreign tables of postgres_fdw: they name a relation of some database, which may be this one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from psycopg import sql

from harness.artifact.inside.model import DatabasePair, InsideArtifact
from harness.artifact.inside.trial import Comparison, try_both
from harness.artifact.schema import RelationName

_FOREIGN: Final = """
select n.nspname::text, c.relname::text, s.srvname::text,
       coalesce((select option_value from pg_options_to_table(f.ftoptions)
                 where option_name = 'schema_name'), n.nspname::text),
       coalesce((select option_value from pg_options_to_table(f.ftoptions)
                 where option_name = 'table_name'), c.relname::text),
       coalesce((select option_value from pg_options_to_table(s.srvoptions)
                 where option_name = 'dbname'), ''),
       coalesce((select option_value from pg_options_to_table(f.ftoptions)
                 where option_name = 'updatable'), 'true'),
       array(select coalesce((select option_value from pg_options_to_table(a.attfdwoptions)
                              where option_name = 'column_name'), a.attname::text)
             from pg_catalog.pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum)
from pg_catalog.pg_foreign_table f
join pg_catalog.pg_class c on c.oid = f.ftrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_foreign_server s on s.oid = f.ftserver
join pg_catalog.pg_foreign_data_wrapper w on w.oid = s.srvfdw
where w.fdwname = 'postgres_fdw'
order by 1, 2
"""
HINT: Final = "give the foreign table the new names by its options, in the same window"


def find_foreign_tables(pair: DatabasePair) -> Iterator[InsideArtifact]:
    """Foreign tables whose options name a relation of the schema before."""
    for schema, table, server, far, relation, database, updatable, columns in pair.before.execute(
        _FOREIGN
    ).fetchall():
        name = RelationName(far, relation)
        change = pair.renames.changes.get(name)
        if change is None or not set(columns) <= set(change.old.columns):
            continue  # it is a table of another database
        statement, found = _judge(pair, name, columns, writes=updatable != "false")
        yield InsideArtifact(
            "foreign table", f"{schema}.{table}", found.outcome,
            f"server {server}, database {database or '?'}: {found.reason or 'it goes on'}",
            statement, found.sqlstate, found.evidence, HINT if found.outcome != "same" else "",
        )  # fmt: skip


def _judge(
    pair: DatabasePair, name: RelationName, columns: list[str], *, writes: bool
) -> tuple[str, Comparison]:
    """What postgres_fdw sends to read it; and to write, where it finds a row by its ctid."""
    relation = sql.Identifier(*name)
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    read = sql.SQL("select {} from {}").format(listed, relation).as_string(pair.before)
    found = try_both(pair, read)[2]
    if found.outcome != "same" or not writes:
        return read, found
    text = sql.SQL("explain (costs off) delete from {} where ctid = '(0,0)'").format(relation)
    write = text.as_string(pair.before)
    found = try_both(pair, write)[2]
    if found.outcome != "cannot":
        return read, Comparison("same")
    return write, Comparison("cannot", f"a write {found.reason}", found.sqlstate)
