"""Jobs of a scheduler in the database, such as pg_cron: rows whose text is SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from psycopg import sql

from harness.artifact.inside.marked import MarkedColumn, marked_columns
from harness.artifact.inside.model import Connection, DatabasePair, InsideArtifact
from harness.artifact.inside.work import judge_text

KNOWN: Final = (
    MarkedColumn("cron", "job", "command", "jobname"),
    MarkedColumn("pgagent", "pga_jobstep", "jstcode", "jstname"),
)
"""Where schedulers keep the SQL that they run."""
HINT: Final = "write it anew in the words after, and change the row in the same window"


def find_jobs(pair: DatabasePair) -> Iterator[InsideArtifact]:
    """Every job, with its statement that goes worst."""
    for column in (*KNOWN, *marked_columns(pair.before, "sql")):
        for name, text in read_texts(pair.before, column):
            statement, found = judge_text(pair, text)
            yield InsideArtifact(
                "job", f"{column.schema}.{column.relation}: {name}", found.outcome, found.reason,
                statement, found.sqlstate, found.evidence, HINT if found.outcome != "same" else "",
            )  # fmt: skip


def read_texts(conn: Connection, column: MarkedColumn) -> list[tuple[str, str]]:
    """The texts of a column, each with the name of its row; empty where there is no such column."""
    known: Any = conn.execute(
        "select array_agg(a.attname::text) from pg_catalog.pg_attribute a"
        " where a.attrelid = pg_catalog.to_regclass(%s) and a.attnum > 0 and not a.attisdropped",
        [sql.Identifier(column.schema, column.relation).as_string(conn)],
    ).fetchone()
    there = known[0] or ()
    if column.name not in there:
        return []
    label = sql.Identifier(column.label) if column.label in there else sql.SQL("null")
    query = sql.SQL(
        "select coalesce({label}::text, left({text}::text, 60)), {text}::text from {relation}"
        " where {text} is not null order by 1, 2"
    ).format(
        label=label,
        text=sql.Identifier(column.name),
        relation=sql.Identifier(column.schema, column.relation),
    )
    return [(name, text) for name, text in conn.execute(query).fetchall()]
