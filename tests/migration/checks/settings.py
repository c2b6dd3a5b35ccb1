"""Settings: what an operator set on a table, column or sequence is still set after it moved."""

from __future__ import annotations

from typing import Any

from ..support import Conn, Pair
from . import specification

RELATIONS = """
select c.relname, jsonb_build_object(
    'options', (select array_agg(o order by o) from unnest(c.reloptions) o),
    'toast options', (
        select array_agg(o order by o) from pg_catalog.pg_class t, unnest(t.reloptions) o
        where t.oid = c.reltoastrelid
    ),
    'replica identity', c.relreplident, 'persistence', c.relpersistence,
    'access method', a.amname, 'tablespace', c.reltablespace,
    'row security', c.relrowsecurity, 'forced', c.relforcerowsecurity)
from pg_catalog.pg_class c left join pg_catalog.pg_am a on a.oid = c.relam
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
"""
# what says nothing of a statistics target is -1 up to Postgres 16 and null since
COLUMNS = """
select c.relname || '.' || a.attname, jsonb_build_object(
    'statistics', coalesce(nullif(a.attstattarget, -1), -1), 'storage', a.attstorage,
    'compression', a.attcompression, 'options', a.attoptions)
from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0
    and not a.attisdropped
"""
SEQUENCES = """
select t.relname || '.' || a.attname, jsonb_build_object(
    'increment', s.seqincrement, 'minimum', s.seqmin, 'maximum', s.seqmax,
    'start', s.seqstart, 'cache', s.seqcache, 'cycle', s.seqcycle)
from pg_catalog.pg_sequence s join pg_catalog.pg_depend d on d.objid = s.seqrelid
    and d.classid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
join pg_catalog.pg_class t on t.oid = d.refobjid and t.relnamespace = 'public'::regnamespace
join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
"""


def check_tables_keep_their_settings(pair: Pair) -> list[str]:
    """Storage options, replica identity, row security, place: as they were, under the new name."""
    return _changed(_read(pair.source, RELATIONS), _read(pair.target, RELATIONS), "table")


def check_columns_keep_their_settings(pair: Pair) -> list[str]:
    """Statistics target, storage, compression and options of every column that stayed."""
    before = _read(pair.source, COLUMNS)
    del before["opportunities.stage"]  # another column since: an enum, where there was a text
    return _changed(before, _read(pair.target, COLUMNS), "column")


def check_sequences_keep_their_parameters(pair: Pair) -> list[str]:
    """Increment, limits, cache and cycle of the sequences behind the old tables' columns."""
    return _changed(_read(pair.source, SEQUENCES), _read(pair.target, SEQUENCES), "sequence of")


def check_new_tables_have_no_settings(pair: Pair) -> list[str]:
    """No storage option, and no autovacuum left off, on a table that the migration made."""
    before, after = _read(pair.source, RELATIONS), _read(pair.target, RELATIONS)
    return [
        f"new table {name}: {key} is {settings[key]!r}"
        for name, settings in after.items()
        if name not in before
        for key in ("options", "toast options")
        if settings[key]
    ]


def _read(conn: Conn, query: str) -> dict[str, Any]:
    rows = conn.execute(query.encode()).fetchall()
    return {_successor(name): settings for name, settings in rows}


def _successor(name: str) -> str:
    """The new name of an old relation, with the column it may carry."""
    relation, dot, column = name.partition(".")
    bare = relation.strip('"')
    moved = specification.new_name(bare) if bare in specification.baseline()["tables"] else bare
    return moved + dot + column


def _changed(before: dict[str, Any], after: dict[str, Any], what: str) -> list[str]:
    return [
        f"{what} {name}: {key} was {value!r} and is {after[name][key]!r}"
        for name, settings in before.items()
        if name in after
        for key, value in settings.items()
        if after[name][key] != value
    ]
