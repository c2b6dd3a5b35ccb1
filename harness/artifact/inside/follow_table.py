"""What the server keeps by number follows a table, whatever its columns are called then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql

from harness.artifact.inside.model import DatabasePair
from harness.artifact.inside.trial import Comparison, try_statement
from harness.artifact.renames import RelationChange
from harness.artifact.schema import SeenRelation

_COLUMNS: Final = """
select d.refobjid::int8, d.refobjsubid from pg_catalog.pg_depend d
where d.classid = ('pg_catalog.' || %(catalog)s)::regclass and d.objid = %(oid)s
  and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjsubid > 0
"""


@dataclass(frozen=True)
class DivergingColumn:
    """A column that is one thing by its number, and another one by what is meant afterwards."""

    change: RelationChange
    old: str
    kept: str
    meant: str
    relation: SeenRelation
    """The relation of the number, as it is called after."""


def names_changed(pair: DatabasePair, text: str) -> bool:
    """Whether a text names a relation of which anything changes, as a word."""
    names = [one.old.name.name for one in pair.renames.changes.values() if one.changes]
    if not names:
        return False
    word = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.search(rf"(?<!\w)(?:{word})(?!\w)", text) is not None


def diverging_columns(pair: DatabasePair) -> dict[tuple[int, int], DivergingColumn]:
    """Every column of which number and meaning part, by relation and number."""
    by_oid = {one.oid: one for one in pair.renames.after.relations.values()}
    found = {}
    for change in pair.renames.changes.values():
        after = by_oid.get(change.old.oid)
        if after is None:
            continue
        kept = dict(zip(after.numbers, after.columns, strict=True))
        for number, name in zip(change.old.numbers, change.old.columns, strict=True):
            contested = change.contested.get(name)
            meant = contested[1] if contested else change.columns.get(name)
            same = kept.get(number)
            if same is not None and meant not in (None, same) and meant in after.columns:
                one = DivergingColumn(change, name, same, str(meant), after)
                found[after.oid, number] = one
    return found


def judge_following(
    pair: DatabasePair, catalog: str, oid: int, texts: tuple[str, str], read: str | None
) -> Comparison:
    """What follows a table by number and gives what it gave: whether it sees what is written next.

    `texts` are its definitions before and after, `read` a query that shows it.
    """
    used = {
        (relation, number)
        for relation, number in pair.before.execute(
            _COLUMNS.encode(), {"catalog": catalog, "oid": oid}
        ).fetchall()
    }
    for key, column in diverging_columns(pair).items():
        if key in used:
            evidence = (f"before: {_line(texts[0])}", f"after: {_line(texts[1])}")
            shown = tuple(_unseen_write(pair, column, read, texts[0])) if read else ()
            reason = (
                f"it follows {column.old!r} to {column.kept!r} of {column.relation.name}, and what"
                f" is written from then on stands in {column.meant!r}"
            )
            return Comparison("silent", reason, evidence=(*evidence, *shown))
    return Comparison("same", "it follows the table")


def _unseen_write(
    pair: DatabasePair, column: DivergingColumn, read: str, definition: str
) -> Iterator[str]:
    """A write of the column that is meant, after which the query still gives what it gave.

    The values that the definition names come first.
    """
    pairs = column.change.values.get(column.old)
    if pairs is None or not pairs.pairs:
        return
    base = try_statement(pair.after, read, pair.timeout)
    table = sql.Identifier(*column.relation.name)
    for old, new in sorted(
        pairs.pairs.items(), key=lambda one: (f"'{one[0]}'" not in definition, one)
    ):
        write = sql.SQL("update {table} set {meant} = {other} where {meant} = {value}")
        others = [value for value in pairs.pairs.values() if value != new]
        if not others:
            return
        text = write.format(
            table=table, meant=sql.Identifier(column.meant),
            value=sql.Literal(new), other=sql.Literal(others[0]),
        ).as_string(pair.after)  # fmt: skip
        wrote = try_statement(pair.after, text, pair.timeout)
        same = try_statement(pair.after, read, pair.timeout, (text,))
        if wrote.rows and not same.failed and same.result == base.result:
            yield f"after {text} ({wrote.rows} rows, formerly {old!r}) it gives what it gave"
            return


def _line(text: Any) -> str:
    return " ".join(str(text).split())[:300]
