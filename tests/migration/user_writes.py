"""What users do between a migration and its rollback, and what the archive must hold then."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from .support import Conn, Row, column, scalar, table_text

OWN_COLUMNS = {"archived_run", "archived_at"}
Tables = dict[str, dict[Any, Row]]


@dataclass(frozen=True)
class Write:
    """One wish of a user, as new and as old clients would have said it."""

    claim: str
    since: str
    new: str
    old: str = ""
    archived: dict[str, list[str]] = field(default_factory=dict)
    perhaps: dict[str, list[str]] = field(default_factory=dict)


def writes(phase: str = "9") -> list[Write]:
    """Every write that is possible once a phase is complete."""
    text = Path(__file__).with_suffix(".toml").read_text("utf-8")
    every = [Write(**entry) for entry in tomllib.loads(text)["write"]]
    return [write for write in every if write.since <= phase]


def draw(source: Conn) -> dict[str, int]:
    """The ids that the writes speak of: distinct, and none of them in the company that goes."""
    doomed = scalar(
        source,
        "select d.company_id from public.deals d join public.contacts c using (company_id)"
        " group by 1 order by count(*), 1 limit 1",
    )
    contacts = column(
        source,
        "select id from public.contacts where company_id <> %s order by id limit 10",
        [doomed],
    )
    deals = column(
        source,
        "select id from public.deals where company_id <> %s order by id limit 20",
        [doomed],
    )
    staying = (
        " from public.tasks t join public.contacts c on c.id = t.contact_id"
        " where c.company_id is distinct from %s and t.done_date"
    )
    done = column(source, f"select t.id {staying} is not null order by t.id limit 2", [doomed])
    todo = scalar(source, f"select t.id {staying} is null order by t.id limit 1", [doomed])
    taken = column(
        source,
        "select company_id from public.deals where id = any (%s)"
        " union select company_id from public.contacts where id = any (%s)",
        [deals, contacts],
    )
    free = column(
        source,
        "select id from public.companies where id <> %s and id <> all (%s) order by id limit 6",
        [doomed, taken],
    )
    drawn = {f"company{n}": key for n, key in zip((1, 2, 3, 5), free, strict=False)}
    drawn |= {"company4": doomed, "other3": free[4], "other4": free[5]}
    drawn |= {f"contact{n}": key for n, key in enumerate(contacts, start=1)}
    drawn |= {f"deal{n}": key for n, key in enumerate(deals, start=1)}
    return drawn | {"task1": todo, "task2": done[0], "task3": done[1]}


def perform(conn: Conn, wishes: list[Write], ids: dict[str, int], *, old: bool) -> None:
    """Do the writes, each statement for itself, as the back end or an old client does."""
    for wish in wishes:
        text = wish.old if old or wish.new == "same" else wish.new
        for statement in filter(str.strip, text.split(";\n")):
            try:
                conn.execute(statement, ids)
            except psycopg.Error as error:
                error.add_note(f"write: {wish.claim}")
                raise


def required(wishes: list[Write], ids: dict[str, int]) -> dict[str, set[int]]:
    """The rows that must be archived."""
    found: dict[str, set[int]] = {}
    for wish in wishes:
        for relation, names in wish.archived.items():
            found.setdefault(relation, set()).update(ids.get(name) or int(name) for name in names)
    return found


def snapshot(conn: Conn) -> Tables:
    """Every row of every base table as text."""
    tables = column(
        conn,
        "select relname from pg_catalog.pg_class where relkind = 'r'"
        " and relnamespace = 'public'::pg_catalog.regnamespace",
    )
    return {name: table_text(conn, name, _columns(conn, "public", name)) for name in tables}


def archive(conn: Conn) -> Tables:
    """What the archive holds, by relation and id."""
    tables = column(
        conn,
        "select c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n"
        " on n.oid = c.relnamespace where n.nspname = 'migration_archive' and c.relkind = 'r'",
    )
    return {name: _archived_rows(conn, name) for name in tables}


def archive_findings(
    needed: dict[str, set[int]],
    before: Tables,
    written: Tables,
    held: Tables,
    counted: dict[str, int],
) -> list[str]:
    """What is wrong with an archive: rows missing, rows not touched, values not kept, bad counts.

    `before` is the migrated database before users wrote, `written` after they had.
    """
    found = []
    for relation, keys in needed.items():
        missing = keys - held.get(relation, {}).keys()
        found += [f"archive of {relation}: row {key} is missing" for key in sorted(missing)]
    for relation, rows in held.items():
        told = {name.split(".")[-1].strip('"'): n for name, n in counted.items()}.get(relation, 0)
        if told != len(rows):
            found.append(f"archive of {relation} has {len(rows)} rows, the report says {told}")
        for key, row in rows.items():
            stood = written.get(relation, {}).get(key)
            if stood is None:
                found.append(f"archive of {relation}: row {key} was not there")
                continue
            kept = {name: stood.get(name) for name in row}
            if kept != row:
                found.append(f"archive of {relation}: row {key} is {row}, was {kept}")
            if before.get(relation, {}).get(key) == stood:
                found.append(f"archive of {relation}: row {key} was never written to")
    return found


def _columns(conn: Conn, schema: str, table: str) -> list[str]:
    return column(
        conn,
        "select a.attname from pg_catalog.pg_attribute a join pg_catalog.pg_class c"
        " on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = %s and c.relname = %s and a.attnum > 0 and not a.attisdropped"
        " order by a.attnum",
        [schema, table],
    )


def _archived_rows(conn: Conn, table: str) -> dict[Any, Row]:
    names = [n for n in _columns(conn, "migration_archive", table) if n not in OWN_COLUMNS]
    fields = sql.SQL(", ").join(sql.SQL("{0}::text").format(sql.Identifier(n)) for n in names)
    query = sql.SQL("select id, {} from migration_archive.{}").format(fields, sql.Identifier(table))
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in conn.execute(query)}
